"""JSON in which a name may be there once: what one reader takes the last of, another the first."""

import json
from typing import Any

from rootless.errors import InvalidInput
from rootless.oci.document import Node


def parse_strictly(data: bytes, document: str, limit: int) -> Node:
    """Parse *data*, a JSON document of at most *limit* bytes.

    Raises:
        InvalidInput: It is too large, malformed, nested too deeply, or says something twice.
    """
    if len(data) > limit:
        raise InvalidInput(f"{document} is too large", f"{len(data)} bytes", f"at most {limit}")
    try:
        value = json.loads(data, object_pairs_hook=_once)
    except RecursionError:
        raise InvalidInput(f"{document} is not valid", "nested too deeply") from None
    except ValueError as error:
        raise InvalidInput(f"{document} is not JSON", str(error)) from None
    return Node(value, document)


def names_of(node: Node) -> tuple[str, ...]:
    """Return the names of an object's members, those that are null too."""
    node.keys_of()  # it is an object
    return tuple(node.key(name) for name in node.value)


def only(node: Node, *known: str) -> None:
    """Raise InvalidInput where an object has members of other names."""
    for name in names_of(node):
        if name not in known:
            raise node.fault(f"has the unknown field {name!r}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice!r} is there twice")
    return found
