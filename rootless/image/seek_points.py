"""Seek points of a layer that came as gzip: made while it is decompressed, on its only pass.

The layer's chunk table says then where in its own bytes each chunk of about `SPAN` begins, and what
of the 32 KiB before it may be referred to. So the bytes as they came can take the tar's place.
"""

import zlib
from typing import TYPE_CHECKING, Final

from rootless.errors import IntegrityError
from rootless.image.byte_stream import ByteStream, Source
from rootless.image.inflate import Inflater, Step
from rootless.image.layers import GZIP, ChunkTableWriter, chunk_table

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SPAN: Final = 1 << 20
"""A chunk has so many bytes at least. A read decodes one; a window of 32 KiB belongs to each."""

KEPT: Final = "gzip"
"""The kind of a chunk table over the bytes in which a layer came."""

_WINDOW: Final = 32 << 10
_READ_BYTES: Final = 256 << 10
_PADDING: Final = b"\0"


class SeekPointStream(Source):
    """Decompresses gzip, and writes the rows of a chunk table as it goes.

    Damaged data raises IntegrityError, and data that ends early EOFError. The table is the caller's
    to finish, when the stream has ended.

    Args:
        raw: The gzip data.
        what: What it is, for messages.
        table: Takes the chunks.
        span: How large a chunk is at least.
    """

    def __init__(
        self, raw: ByteStream, what: str, table: ChunkTableWriter, span: int = SPAN
    ) -> None:
        super().__init__()
        self._raw = raw
        self._what = what
        self._inflater = Inflater(what)
        self._points = _Points(table, span)
        self._input = b""
        self._at = 0
        self._is_between = True  # two members, or before the first
        self._ready = memoryview(b"")

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on; returns 0 at the end."""
        while not self._ready:
            if self._at == len(self._input) and not self._more():
                return 0
            if self._is_between:
                if self._is_padding():
                    continue
                self._points.begin_member()
                self._is_between = False
            step = self._inflater.step(self._input, self._at)
            self._at += step.used
            self._points.take(step)
            self._is_between = step.is_end
            self._ready = memoryview(step.contents)
        view = memoryview(buffer)
        n = min(len(view), len(self._ready))
        view[:n], self._ready = self._ready[:n], self._ready[n:]
        return n

    def close(self) -> None:
        """Let go of what decodes."""
        self._inflater.close()
        super().close()

    def _more(self) -> bool:
        """Read more input; return False at its end, where it may end."""
        data = self._raw.read(_READ_BYTES)
        if data:
            self._input, self._at = data, 0
            return True
        if not self._is_between:
            raise EOFError
        self._points.end()
        return False

    def _is_padding(self) -> bool:
        """Skip zeros after a member; raises IntegrityError for other things than members."""
        first = self._input[self._at : self._at + 1]
        if first == _PADDING and self._points.has_begun:
            left = self._input[self._at :].lstrip(_PADDING)
            skipped = len(self._input) - self._at - len(left)
            self._at += skipped
            self._points.skip(skipped)
            return True
        if first != b"\x1f":
            raise IntegrityError("garbage after the gzip data", self._what)
        return False


class _Points:
    """Where chunks begin, and what was decoded last.

    Attributes:
        has_begun: There was a member.
    """

    def __init__(self, table: ChunkTableWriter, span: int) -> None:
        self._table = table
        self._span = span
        self._read = 0  # bytes of the input
        self._decoded = 0
        self._history = b""
        self._start = 0  # of the chunk, in the contents
        self._place = 0  # and in the input
        self._bits = 0
        self._window: bytes | None = None
        self.has_begun = False

    def begin_member(self) -> None:
        """Begin a chunk with a member, where the one before is large enough, or must end.

        A chunk that began in the middle of a member ends with that: where exactly its bytes end
        cannot be told from it.
        """
        if self.has_begun and (
            self._window is not None or self._decoded - self._start >= self._span
        ):
            self._begin(self._read, 0, None)
        self.has_begun = True

    def take(self, step: Step) -> None:
        """Take what a step has brought; a chunk may begin behind it."""
        self._read += step.used
        self._decoded += len(step.contents)
        self._history = (self._history + step.contents)[-_WINDOW:]
        if step.is_block and self._decoded - self._start >= self._span:
            begun = step.unused_bits
            place = self._read - 1 if begun else self._read
            self._begin(place, 8 - begun if begun else 0, self._history)

    def skip(self, count: int) -> None:
        """Take note of bytes of the input that are nothing."""
        self._read += count

    def end(self) -> None:
        """End the last chunk."""
        self._add()

    def _begin(self, place: int, bits: int, window: bytes | None) -> None:
        self._add()
        self._start, self._place, self._bits, self._window = self._decoded, place, bits, window

    def _add(self) -> None:
        """Note the chunk that ends here; an empty one is none."""
        size = self._decoded - self._start
        if not size:
            return
        stored = self._read - self._place
        codec = GZIP if self._window is None else chunk_table.DEFLATE
        number = self._table.add(self._start, size, place=self._place, stored=stored, codec=codec)
        if self._window is not None:
            self._table.add_window(number, self._bits, zlib.compress(self._window, 6))
