r"""Compressed layers that were made once: the store remembers their digests, not their bytes.

    compressed.json    {"sha256:DIFF-ID": {"isal-3": ["sha256:DIGEST", SIZE]}}

With the digest known beforehand a registry can be asked whether it has the layer, and nothing is
compressed. What is remembered is never trusted: what is sent is hashed again. A store that cannot
be written remembers nothing.
"""

from contextlib import suppress
from dataclasses import dataclass

from rootless.errors import InvalidInput, StoreError
from rootless.image import lock
from rootless.image.store import Store
from rootless.oci.digest import Digest
from rootless.oci.document import Node, parse_document, to_bytes

_NAME = "compressed.json"
_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """A layer as it went out.

    Attributes:
        digest: Of the compressed bytes.
        size: How many those are.
    """

    digest: Digest
    size: int


class MadeLayers:
    """The memory of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def recall(self, diff_id: Digest) -> dict[str, Made]:
        """Return what a layer became before, by the key of the compression."""
        with suppress(InvalidInput):
            node = self._read().get(diff_id)
            if node is not None:
                return {key: _made(node.require(key)) for key in node.keys_of()}
        return {}

    def remember(self, diff_id: Digest, key: str, made: Made) -> None:
        """Note what a layer became; layers that are gone are forgotten."""
        store = self._store
        with suppress(StoreError), lock.exclusive(store.lock_path("compressed")):
            try:
                value = self._read().value
            except InvalidInput:  # damaged: begun anew
                value = {}
            value.setdefault(diff_id, {})[key] = [made.digest, made.size]
            kept = {each: known for each, known in value.items() if self._is_there(each)}
            store.write(store.root / _NAME, to_bytes(kept))

    def _read(self) -> Node:
        try:
            with open(self._store.root / _NAME, "rb") as file:
                data = file.read(_LIMIT + 1)
        except OSError:
            return Node({}, _NAME)
        node = parse_document(data, _NAME, limit=_LIMIT)
        for key in node.keys_of():
            node.require(key).keys_of()
        return node

    def _is_there(self, diff_id: str) -> bool:
        return self._store.index_path(Digest(diff_id)).exists()


def _made(node: Node) -> Made:
    values = list(node.items())
    if len(values) != 2:
        raise node.fault("is not a digest and a size")
    return Made(values[0].as_digest(), values[1].as_size())
