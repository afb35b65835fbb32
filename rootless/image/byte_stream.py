"""Streams of bytes: what one must be able to do, and small ones made of others."""

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

    from _typeshed import WriteableBuffer

_STEP = 1 << 20


class ByteStream(Protocol):
    """A source read forwards: a file, a pipe, a member of an archive, a decompressor."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Return up to *size* bytes, empty at the end."""

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """Fill a buffer as far as one read goes; return how far, 0 at the end."""


class Source(io.RawIOBase):
    """A base for streams that have `readinto`; the rest follows from it."""

    def readable(self) -> bool:
        """Return True."""
        return True


class Chunked(Source):
    """A stream of what a generator yields; closing it ends the generator.

    Args:
        chunks: The generator.
    """

    def __init__(self, chunks: "Generator[bytes, None, None]") -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer, which only the end leaves unfilled; raises what the generator does."""
        view = memoryview(buffer)
        position = 0
        while position < len(view):
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
            n = min(len(view) - position, len(self._rest))
            view[position : position + n] = self._rest[:n]
            self._rest = self._rest[n:]
            position += n
        return position

    def close(self) -> None:
        """Let go of what the generator holds."""
        with suppress(ValueError):  # a thread hangs in read(2) of a dead server; the process ends
            self._chunks.close()
        super().close()


class Prefixed(Source):
    """A stream with bytes put back in front."""

    def __init__(self, prefix: bytes, rest: ByteStream) -> None:
        super().__init__()
        self._prefix = prefix
        self._rest = rest

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read what was put back, then the rest."""
        if not self._prefix:
            return self._rest.readinto(buffer) or 0
        view = memoryview(buffer)
        n = min(len(view), len(self._prefix))
        view[:n], self._prefix = self._prefix[:n], self._prefix[n:]
        return n


def read_up_to(stream: ByteStream, size: int) -> bytes:
    """Return *size* bytes, fewer only at the end; a pipe gives what it has, which may be less."""
    parts = []
    while size:
        part = stream.read(min(size, _STEP))
        if not part:
            break
        size -= len(part)
        parts.append(part)
    return b"".join(parts)


def drain(stream: ByteStream) -> None:
    """Read to the end."""
    while stream.read(_STEP):
        pass
