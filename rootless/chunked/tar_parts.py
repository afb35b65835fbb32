"""A layer's tar taken apart into members, and not a byte of it lost.

A layer is written again with the compression beginning anew at every file, but the bytes that come
out of the decompressor are to be the same: headers are passed on as they stand, not made again.
"""

import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rootless.errors import IntegrityError
from rootless.image.byte_stream import ByteStream, read_up_to
from rootless.image.layers import (
    HARD_LINK,
    SPARSE,
    Entry,
    Extent,
    TarFormatError,
    TarReader,
)

BLOCK = 512
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One member.

    Attributes:
        entry: What it stands for; its offset is that of its contents in the tar.
        xattrs: Its extended attributes.
        extents: The pieces of a sparse file.
        head: Its headers, and whatever else stood before its contents.
        stored: How many bytes of contents follow the head, without padding.
    """

    entry: Entry
    xattrs: Mapping[bytes, bytes]
    extents: Sequence[Extent]
    head: bytes
    stored: int


class TarParts:
    """Reads a tar member by member; contents that were not asked for are passed over.

    Args:
        stream: The tar, not compressed.
        what: What it is, for messages.

    Attributes:
        tail: What stood behind the last member, once there is no other: zeros, mostly.
    """

    def __init__(self, stream: ByteStream, what: str) -> None:
        self._stream = stream
        self._what = what
        self._reader = TarReader(self._take)
        self._found: tuple[Entry, Mapping[bytes, bytes], Sequence[Extent]] | None = None
        self._buffer = b""
        self._position = 0  # in the buffer
        self._left = 0  # of the member's contents, padding included
        self.tail = b""

    def __iter__(self) -> Iterator[Part]:
        """Yield the members.

        Raises:
            IntegrityError: It is not a valid layer.
        """
        while part := self._next():
            yield part
            while self._left:
                self._read(min(self._left, _STEP))

    def contents(self, size: int) -> Iterator[bytes]:
        """Yield the next *size* bytes of the current member's contents."""
        while size > 0:
            piece = self._read(min(size, _STEP))
            size -= len(piece)
            yield piece

    def padding(self) -> bytes:
        """Return what is left of the member when all its contents have been read."""
        return self._read(self._left) if self._left else b""

    def rest(self) -> Iterator[bytes]:
        """Yield what follows `tail`, to the end of the stream."""
        yield self.tail
        if self._position < len(self._buffer):
            yield self._buffer[self._position :]
        while piece := self._stream.read(_STEP):
            yield piece

    def _next(self) -> Part | None:
        head: list[bytes] = []
        self._found = None
        while self._found is None and not self._reader.has_ended:
            block = self._bytes(BLOCK)
            self._feed(block)
            head.append(block)
            if len(block) < BLOCK:
                break
        if self._found is None:
            self.tail = b"".join(head)
            try:
                self._reader.finish()
            except TarFormatError as error:
                raise self._fault(error) from None
            return None
        entry, xattrs, extents = self._found
        stored = 0
        if entry.flags & SPARSE:
            stored = sum(length for _, length, _ in extents)
        elif stat.S_ISREG(entry.mode) and not entry.flags & HARD_LINK:
            stored = entry.size
        self._left = stored + -stored % BLOCK
        return Part(entry, xattrs, extents, b"".join(head), stored)

    def _take(self, entry: Entry, xattrs: Mapping[bytes, bytes], extents: Sequence[Extent]) -> None:
        self._found = entry, xattrs, extents

    def _read(self, size: int) -> bytes:
        """Return bytes of the current member's contents."""
        piece = self._bytes(size)
        self._feed(piece)
        self._left -= len(piece)
        if len(piece) < size:
            raise self._fault("a truncated tar")
        return piece

    def _bytes(self, size: int) -> bytes:
        """Return the next bytes of the stream, fewer only at its end."""
        end = self._position + size
        if end > len(self._buffer):
            missing = end - len(self._buffer)
            rest = self._buffer[self._position :]
            self._buffer = rest + read_up_to(self._stream, max(missing, _STEP))
            self._position, end = 0, size
        piece = self._buffer[self._position : end]
        self._position = min(end, len(self._buffer))
        return piece

    def _feed(self, piece: bytes) -> None:
        try:
            self._reader.feed(piece)
        except TarFormatError as error:
            raise self._fault(error) from None

    def _fault(self, reason: object) -> IntegrityError:
        return IntegrityError("not a valid layer", f"{self._what}: {reason}")
