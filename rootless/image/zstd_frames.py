"""Where zstd frames begin and end: RFC 8878, section 3.1.

libzstd's streaming readers take the end of their input for the end of the data, so a download that
broke off would pass for a shorter file. This reader passes the bytes through and follows the
frames' own lengths: 3 bytes to look at for every block of up to 128 KiB.
"""

from enum import Enum
from typing import TYPE_CHECKING

from rootless.errors import IntegrityError
from rootless.image.byte_stream import ByteStream, Source

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC = 0xFD2FB528
SKIPPABLE = 0x184D2A50  # and the fifteen that follow
_DICTIONARY_BYTES = (0, 1, 2, 4)
_CONTENT_SIZE_BYTES = (0, 2, 4, 8)
_RLE_BLOCK = 1


class _Field(Enum):
    """What the next bytes are; the value is their number."""

    MAGIC = (4, "magic")
    DESCRIPTOR = (1, "frame header descriptor")
    BLOCK_HEADER = (3, "block header")
    SKIP_SIZE = (4, "size of a skippable frame")


def is_skippable(magic: int) -> bool:
    """Return whether a magic number begins a skippable frame."""
    return SKIPPABLE <= magic <= SKIPPABLE + 0xF


class FrameReader(Source):
    """Passes a zstd stream through; raises IntegrityError where its frames do not add up.

    Args:
        raw: The stream.
        what: What it is, for messages.
    """

    def __init__(self, raw: ByteStream, what: str) -> None:
        super().__init__()
        self._raw = raw
        self._what = what
        self._field = _Field.MAGIC
        self._bytes = b""
        self._skip = 0
        self._has_checksum = False

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read and follow; the end of the stream must be the end of a frame."""
        n = self._raw.readinto(buffer) or 0
        if n == 0 and (self._skip or self._bytes or self._field is not _Field.MAGIC):
            raise IntegrityError("zstd data ends early", self._what, "fetch it again")
        self._follow(memoryview(buffer)[:n])
        return n

    def _follow(self, data: memoryview) -> None:
        position = 0
        while position < len(data):
            if self._skip:
                step = min(self._skip, len(data) - position)
                self._skip -= step
                position += step
                continue
            step = min(self._field.value[0] - len(self._bytes), len(data) - position)
            self._bytes += bytes(data[position : position + step])
            position += step
            if len(self._bytes) == self._field.value[0]:
                value = int.from_bytes(self._bytes, "little")
                self._bytes = b""
                self._take(value)

    def _take(self, value: int) -> None:
        """Go on from a field that is complete."""
        if self._field is _Field.MAGIC:
            if value == MAGIC:
                self._field = _Field.DESCRIPTOR
            elif is_skippable(value):
                self._field = _Field.SKIP_SIZE
            else:
                raise IntegrityError("garbage after the zstd data", self._what)
        elif self._field is _Field.SKIP_SIZE:
            self._skip = value
            self._field = _Field.MAGIC
        elif self._field is _Field.DESCRIPTOR:
            self._skip = _rest_of_header(value)
            self._has_checksum = bool(value & 4)
            self._field = _Field.BLOCK_HEADER
        else:
            is_last, kind, size = value & 1, value >> 1 & 3, value >> 3
            self._skip = 1 if kind == _RLE_BLOCK else size
            if is_last:
                self._skip += 4 if self._has_checksum else 0
                self._field = _Field.MAGIC


def _rest_of_header(descriptor: int) -> int:
    """Return how many bytes of a frame header follow its descriptor."""
    is_single_segment = bool(descriptor & 0x20)
    content_size = _CONTENT_SIZE_BYTES[descriptor >> 6]
    if is_single_segment and content_size == 0:
        content_size = 1
    window = 0 if is_single_segment else 1
    return window + _DICTIONARY_BYTES[descriptor & 3] + content_size
