"""Metadata of squashfs: blocks of 8 KiB, each compressed by itself, read as one run of bytes.

A place in it is a reference: where its block begins, and how far into the decoded block.
"""

from collections import OrderedDict

from rootless.squashfs.codec import METADATA_SIZE, DecodeError, decode
from rootless.squashfs.window import Window

_RAW = 0x8000
_KEPT = 4096  # decoded blocks: 32 MiB


class Metadata:
    """Reads an image's metadata blocks, and keeps those that it read last.

    Args:
        window: The image.
        compressor: What compressed it.
    """

    def __init__(self, window: Window, compressor: int) -> None:
        self._window = window
        self._compressor = compressor
        self._blocks: OrderedDict[int, tuple[bytes, int]] = OrderedDict()

    def cursor(self, block: int, offset: int) -> "Cursor":
        """Return a reader that begins at a place."""
        return Cursor(self, block, offset, self._window)

    def block(self, position: int) -> tuple[bytes, int]:
        """Return a decoded block, and where the next one begins; raises IntegrityError."""
        found = self._blocks.get(position)
        if found is not None:
            self._blocks.move_to_end(position)
            return found
        head = int.from_bytes(self._window.read(position, 2), "little")
        size = head & ~_RAW
        if not 0 < size <= METADATA_SIZE:
            raise self._window.damaged(f"a metadata block of {size} bytes at {position}")
        data = self._window.read(position + 2, size)
        if not head & _RAW:
            try:
                data = decode(self._compressor, data)
            except DecodeError as error:
                raise self._window.damaged(f"metadata at {position}: {error}") from error
        if not data:
            raise self._window.damaged(f"an empty metadata block at {position}")
        self._blocks[position] = found = (data, position + 2 + size)
        if len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return found

    def table(self, lookup: int, count: int, size: int) -> bytes:
        """Return a table of *count* rows of *size* bytes, whose blocks a list of places names."""
        wanted = count * size
        blocks = -(-wanted // METADATA_SIZE)
        places = self._window.read(lookup, 8 * blocks)
        parts = []
        for at in range(0, len(places), 8):
            data, _ = self.block(int.from_bytes(places[at : at + 8], "little"))
            parts.append(data)
        table = b"".join(parts)
        if len(table) < wanted:
            raise self._window.damaged("a table is too short")
        return table[:wanted]


class Cursor:
    """Reads metadata forwards, from block to block."""

    def __init__(self, metadata: Metadata, block: int, offset: int, window: Window) -> None:
        self._metadata = metadata
        self._data, self._next = metadata.block(block)
        self._at = offset
        if offset > len(self._data):
            raise window.damaged(f"a place beyond the metadata block at {block}")

    def read(self, size: int) -> bytes:
        """Return the next bytes; raises IntegrityError."""
        end = self._at + size
        if end <= len(self._data):
            found = self._data[self._at : end]
            self._at = end
            return found
        parts = [self._data[self._at :]]
        missing = end - len(self._data)
        while missing > 0:
            self._data, self._next = self._metadata.block(self._next)
            parts.append(self._data[:missing])
            self._at = min(missing, len(self._data))
            missing -= len(self._data)
        return b"".join(parts)
