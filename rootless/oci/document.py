"""JSON documents from outside, read with the path of whatever is wrong.

A document's bytes are untrusted: their size is bounded before they are parsed, their depth by the
parser, and every value is asked for by type. The errors name the place: `layers[2].digest`.
"""

import json
from collections.abc import Iterator
from typing import Any

from rootless.errors import InvalidInput
from rootless.oci.digest import Digest, parse_digest

MAX_MANIFEST_BYTES = 4 << 20  # what registries accept
MAX_CONFIG_BYTES = 8 << 20
HIGHEST_ID = (1 << 32) - 2


class Node:
    """One value of a JSON document, and where in the document it stands.

    Args:
        value: The value, as `json.loads` returns it.
        document: What the document is, for messages: "manifest".
        path: Where the value stands, empty for the document itself.
    """

    __slots__ = ("document", "path", "value")

    def __init__(self, value: Any, document: str, path: str = "") -> None:
        self.value = value
        self.document = document
        self.path = path

    def fault(self, what: str) -> InvalidInput:
        """Return the error that says *what* is wrong with this value."""
        return InvalidInput(f"{self.document} is not valid", f"{self.path or 'document'} {what}")

    def get(self, key: str) -> "Node | None":
        """Return the member named *key* of this object; None where absent or null."""
        if not isinstance(self.value, dict):
            raise self.fault("is not an object")
        value = self.value.get(key)
        return None if value is None else Node(value, self.document, self._below(key))

    def require(self, key: str) -> "Node":
        """Return the member named *key*; a missing one is an error."""
        node = self.get(key)
        if node is None:
            raise Node(None, self.document, self._below(key)).fault("is missing")
        return node

    def items(self) -> Iterator["Node"]:
        """Yield the elements of this array."""
        if not isinstance(self.value, list):
            raise self.fault("is not an array")
        for i, value in enumerate(self.value):
            yield Node(value, self.document, f"{self.path}[{i}]")

    def as_text(self) -> str:
        """Return this string; what cannot reach the kernel is refused: NUL, half a character."""
        if not isinstance(self.value, str):
            raise self.fault("is not a string")
        if "\0" in self.value:
            raise self.fault("holds a NUL character")
        if any("\ud800" <= c <= "\udfff" for c in self.value):  # JSON can write a lone surrogate
            raise self.fault("is not Unicode text")
        return self.value

    def as_digest(self) -> Digest:
        """Return this digest."""
        return parse_digest(self.as_text(), f"{self.document} {self.path}")

    def as_integer(self) -> int:
        """Return this integer, of either sign."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.fault("is not an integer")
        return self.value

    def as_size(self) -> int:
        """Return this whole number, which is not negative."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            raise self.fault("is not a whole number of bytes")
        return self.value

    def as_id(self) -> int:
        """Return this UID or GID; -1, in 32 bits too, means "no change" to the kernel: refused."""
        if not 0 <= self.as_integer() <= HIGHEST_ID:
            raise self.fault(f"is not an ID from 0 to {HIGHEST_ID}")
        return self.as_integer()

    def one_of(self, words: tuple[str, ...]) -> str:
        """Return this string, which is one of *words*."""
        if self.as_text() not in words:
            raise self.fault(f"is {self.value!r}, not one of {', '.join(words)}")
        return self.as_text()

    def within(self, key: str, low: int, high: int, default: int = 0) -> int:
        """Return the integer named *key*, from *low* to *high*; absent is *default*."""
        node = self.get(key)
        if node is None:
            return default
        if not low <= node.as_integer() <= high:
            raise node.fault(f"is not a number from {low} to {high}")
        return node.as_integer()

    def text(self, key: str, default: str = "") -> str:
        """Return the string named *key*, or *default*."""
        node = self.get(key)
        return default if node is None else node.as_text()

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the array of strings named *key*; absent and null are the empty one."""
        node = self.get(key)
        return () if node is None else tuple(item.as_text() for item in node.items())

    def mapping(self, key: str) -> dict[str, str]:
        """Return the object of strings named *key*; absent and null are the empty one."""
        node = self.get(key)
        if node is None:
            return {}
        return {node.key(name): node.require(name).as_text() for name in node.keys_of()}

    def keys_of(self) -> tuple[str, ...]:
        """Return the names of this object's members that are not null."""
        if not isinstance(self.value, dict):
            raise self.fault("is not an object")
        return tuple(name for name, value in self.value.items() if value is not None)

    def key(self, name: str) -> str:
        """Return the name of a member of this object, checked as any other text."""
        return Node(name, self.document, self.path).as_text()

    def require_text(self, key: str) -> str:
        """Return the string named *key*; a missing one is an error."""
        return self.require(key).as_text()

    def member(self, key: str) -> "Node":
        """Return the object named *key*; absent and null are the empty one."""
        return self.get(key) or Node({}, self.document, self._below(key))

    def members(self, key: str) -> Iterator["Node"]:
        """Yield the objects of the array named *key*; absent and null are the empty one."""
        node = self.get(key)
        return iter(()) if node is None else node.items()

    def flag(self, key: str) -> bool:
        """Return the boolean named *key*; absent and null are false."""
        node = self.get(key)
        if node is None:
            return False
        if not isinstance(node.value, bool):
            raise node.fault("is not true or false")
        return node.value

    def number(self, key: str, default: int | None = None) -> int:
        """Return the integer named *key*; without a *default* a missing one is an error."""
        node = self.get(key) if default is not None else self.require(key)
        return default or 0 if node is None else node.as_integer()

    def _below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def parse_document(data: bytes, document: str, *, limit: int = MAX_MANIFEST_BYTES) -> Node:
    """Parse *data*, a JSON document of at most *limit* bytes; raises InvalidInput."""
    if len(data) > limit:
        raise InvalidInput(f"{document} is too large", f"{len(data)} bytes", f"at most {limit}")
    try:
        value = json.loads(data)
    except RecursionError:
        raise InvalidInput(f"{document} is not valid", "nested too deeply") from None
    except ValueError as error:  # malformed JSON, malformed UTF-8, a number of 5,000 digits
        raise InvalidInput(f"{document} is not JSON", str(error)) from None
    return Node(value, document)


def to_bytes(value: Any) -> bytes:
    """Return the compact JSON of *value*, the same bytes each time."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
