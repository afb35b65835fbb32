"""Frozen data classes as JSON and back, by their annotations: what is kept of a container.

One rule for all that is kept, so that a new member of a class is kept with the others. A member
that a document lacks has its default, and one that the class lacks is passed over: a store may be
used by an older version and by a newer one. Bytes are text with surrogate escapes (PEP 383).
"""

import types
import typing
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from rootless.errors import InvalidInput

_T = TypeVar("_T")
_CLASS = "class"


def to_document(value: Any) -> Any:
    """Return what `json.dumps` takes.

    Args:
        value: A data class of data classes, tuples, mappings by text, paths, bytes and plain
            values.
    """
    if is_dataclass(value):
        members = {field.name: to_document(getattr(value, field.name)) for field in fields(value)}
        return {_CLASS: type(value).__name__, **members}
    if isinstance(value, Mapping):
        return {key: to_document(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [to_document(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def from_document(kind: type[_T], document: Any) -> _T:
    """Return the value of a class that `to_document` described; raises InvalidInput."""
    found: _T = _read_class(kind, document, kind.__name__)
    return found


def _read_class(kind: Any, document: Any, path: str) -> Any:
    if not isinstance(document, dict):
        raise _fault(path, "an object")
    hints = _hints(kind)
    members = {}
    for field in fields(kind):
        if field.name in document:
            place = f"{path}.{field.name}"
            members[field.name] = _read(hints[field.name], document[field.name], place)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise _fault(f"{path}.{field.name}", "there")
    return kind(**members)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, value: Any, path: str) -> Any:
    kind = getattr(kind, "__supertype__", kind)  # of a NewType
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _read_one_of(arguments, value, path)
    if is_dataclass(kind):
        return _read_class(kind, value, path)
    if origin is tuple:
        return _read_tuple(arguments, value, path)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _fault(path, "an object")
        return {key: _read(arguments[1], item, f"{path}.{key}") for key, item in value.items()}
    if kind in (bytes, Path):
        text = _read_plain(str, value, path)
        return text.encode("utf-8", "surrogateescape") if kind is bytes else Path(text)
    return value if kind is Any else _read_plain(kind, value, path)


def _read_one_of(kinds: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    classes = [kind for kind in kinds if kind is not type(None)]
    if len(classes) > 1 and isinstance(value, dict):
        classes = [kind for kind in classes if kind.__name__ == value.get(_CLASS)]
    if not classes:
        raise _fault(path, "of a known class")
    return _read(classes[0], value, path)


def _read_tuple(kinds: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _fault(path, "an array")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _fault(path, f"an array of {len(kinds)}")
    pairs = zip(kinds, value, strict=True)
    return tuple(_read(kind, item, f"{path}[{i}]") for i, (kind, item) in enumerate(pairs))


def _read_plain(kind: Any, value: Any, path: str) -> Any:
    if kind is float and isinstance(value, int):
        return float(value)
    if issubclass(kind, Enum):
        with suppress(ValueError):
            return kind(value)
    if type(value) is not kind:
        raise _fault(path, f"of type {kind.__name__}")
    return value


def _fault(path: str, what: str) -> InvalidInput:
    return InvalidInput("what is kept of the container is damaged", f"{path} is not {what}")
