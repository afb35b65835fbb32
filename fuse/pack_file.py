r"""One file that holds a whole image and is served in place: its front, and where its parts lie.

    0     64 bytes  a line for people, or the `#!` line of a file that is run as a program; NULs
    64    64 bytes  magic, version, number of sections, length of the file, SHA-256 of the sections
          (and whether the contents are compressed)
    128   64 bytes a section: kind, codec, number, offset, bytes stored, bytes decoded, SHA-256
    …               the sections, each at a multiple of 4096 but the small documents

Little-endian throughout. The documents come first, so that one read of the front brings them; then
the layers' tars, as they are (or, compressed, as the chunks of one address space: `chunk_table`);
then the merged tree, compressed, whose offsets are those of this file, as if the image had one
layer. What opens it reads the front, then the tree, whole, into memory: nothing is looked up in the
file but what the workload reads. So a parallel file system sees two reads from each of a thousand
nodes, and no lock, and nothing is written beside it.
"""

import hashlib
import os
import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from .database import IndexFormatError

MAGIC: Final = b"\x89RLpack\n"
VERSION: Final = 1
FRONT_READ: Final = 128 << 10
"""What is read at once of a file's beginning."""
PAGE: Final = 4096
_LINE: Final = 64
_HEAD = struct.Struct("<8sIIQ32sI4x")
_HAS_CHUNKS: Final = 1
HEAD_READ: Final = 128
"""What tells a pack from other files."""
_SECTION = struct.Struct("<HHIQQQ32s")
_FLAGS_AT: Final = _LINE + 56
_SECTIONS_AT: Final = _LINE + _HEAD.size
_SECTIONS_MAX: Final = 1100  # a thousand layers, and the documents
# What a hostile file can make a reader allocate: a tree shrinks to a seventh, never to this.
_DECODED_MAX: Final = 2_000_000_000
_RATIO_MAX: Final = 64


class PackFormatError(IndexFormatError):
    """The file begins as a pack does, and is none, or is damaged."""


FILES: Final = (b"etc/passwd", b"etc/group", b"etc/apt/apt.conf.d/")
"""What a run asks for before it mounts; a name that ends in a slash is a directory's, and empty."""

ABSENT: Final = 0x100
"""Added to the number of a file: the image has none."""


class Kind(IntEnum):
    """What a section is."""

    CONFIG = 1
    MANIFEST = 2
    SOURCE_MANIFEST = 3
    NAME = 4
    TREE = 5
    CHUNK_TABLE = 6
    LAYER = 7
    FILE = 8
    """A small file of the image that every run reads before it mounts."""


class Codec(IntEnum):
    """How a section's bytes are stored."""

    RAW = 0
    ZSTD = 1
    CHUNKED = 2


class Section(NamedTuple):
    """One part of the file.

    Attributes:
        kind: A `Kind`, or one of a newer version, to be passed over.
        codec: A `Codec`.
        number: Of a layer, the lowest is 0; of a file, in `FILES`, or `ABSENT` and that.
        offset: Where it begins in the file; of a chunked layer, in the chunks' address space.
        stored: Its bytes in the file; 0 for a chunked layer, whose bytes are those of chunks.
        size: Its bytes, decoded.
        digest: SHA-256 of the bytes stored; of a layer, of its tar.
    """

    kind: int
    codec: int
    number: int
    offset: int
    stored: int
    size: int
    digest: bytes


def is_pack(head: bytes) -> bool:
    """Return whether a file that begins so is a pack."""
    return head[_LINE : _LINE + len(MAGIC)] == MAGIC


def has_chunks(head: bytes) -> bool:
    """Return whether the contents of a pack that begins so are compressed."""
    return bool(head[_FLAGS_AT] & _HAS_CHUNKS)


def sections_size(count: int) -> int:
    """Return where the first section may begin."""
    return _SECTIONS_AT + count * _SECTION.size


def front(sections: Iterable[Section], *, line: bytes, size: int) -> bytes:
    """Return the file's beginning.

    Args:
        sections: All of them.
        line: The first line, of at most 63 bytes and the newline.
        size: Length of the whole file.
    """
    sections = list(sections)
    rows = b"".join(_SECTION.pack(*section) for section in sections)
    flags = _HAS_CHUNKS if any(each.kind == Kind.CHUNK_TABLE for each in sections) else 0
    digest = hashlib.sha256(rows).digest()
    head = _HEAD.pack(MAGIC, VERSION, len(sections), size, digest, flags)
    return line.ljust(_LINE, b"\0") + head + rows


class PackFile:
    """The front of a pack, read from an open file, which stays the caller's.

    Args:
        fd: The file, open for reading.
        path: What it is called, for messages.

    Attributes:
        fd: The same.
        sections: All of them.
        size: Length of the file.

    Raises:
        PackFormatError: It is no pack, of another version, or damaged.
        OSError: It cannot be read.
    """

    def __init__(self, fd: int, path: str | os.PathLike[str]) -> None:
        self.fd = fd
        self._path = os.fspath(path)
        self._front = os.pread(fd, FRONT_READ, 0)
        if len(self._front) < HEAD_READ or not is_pack(self._front):
            raise self.fault("not a pack")
        _, version, count, size, digest, _ = _HEAD.unpack_from(self._front, _LINE)
        if version != VERSION:
            raise self.fault(f"a pack of format {version}, known is {VERSION}")
        rows = self._front[_SECTIONS_AT : sections_size(count)]
        if count > _SECTIONS_MAX or hashlib.sha256(rows).digest() != digest:
            raise self.fault("its table of contents is damaged")
        self.size = os.fstat(fd).st_size
        if self.size != size:
            raise self.fault(f"it has {self.size} bytes of {size}")
        self.sections = tuple(map(Section._make, _SECTION.iter_unpack(rows)))
        for section in self.sections:
            self._check(section)

    def find(self, kind: Kind) -> Section | None:
        """Return the first section of a kind, None where there is none."""
        return next((each for each in self.sections if each.kind == kind), None)

    def require(self, kind: Kind) -> Section:
        """Return the section of a kind; raises PackFormatError where there is none."""
        found = self.find(kind)
        if found is None:
            raise self.fault(f"it has no {kind.name.lower().replace('_', ' ')}")
        return found

    def layers(self) -> list[Section]:
        """Return the layers' sections, lowest first."""
        found = [each for each in self.sections if each.kind == Kind.LAYER]
        if [each.number for each in found] != list(range(len(found))):
            raise self.fault("its layers are not in order")
        return found

    def read(self, section: Section) -> bytes:
        """Return a section's bytes, verified and decoded.

        Raises:
            PackFormatError: They are damaged.
        """
        end = section.offset + section.stored
        if end <= len(self._front):
            data = self._front[section.offset : end]
        else:
            data = _read(self.fd, section.offset, section.stored)
        if hashlib.sha256(data).digest() != section.digest:
            raise self.fault(f"damaged at {section.offset}: wrong digest")
        if section.codec == Codec.ZSTD:
            data = self._decoded(data, section)
        if len(data) != section.size:
            raise self.fault(f"damaged at {section.offset}: wrong length")
        return data

    def fault(self, what: str) -> PackFormatError:
        """Return the error about this file."""
        return PackFormatError(f"{self._path}: {what}")

    def _decoded(self, data: bytes, section: Section) -> bytes:
        import zstandard  # noqa: PLC0415 - 4 ms, for packs alone

        try:
            if zstandard.frame_content_size(data) != section.size:  # it allocates what that says
                raise self.fault(f"damaged at {section.offset}: wrong length")
            return zstandard.ZstdDecompressor().decompress(data)
        except zstandard.ZstdError as error:
            raise self.fault(f"damaged at {section.offset}: {error}") from error

    def _check(self, section: Section) -> None:
        is_chunked = section.codec == Codec.CHUNKED
        if not is_chunked and section.offset + section.stored > self.size:
            raise self.fault("a section lies beyond its end")
        if section.codec == Codec.RAW and section.stored != section.size:
            raise self.fault("a section has two lengths")
        if section.codec == Codec.ZSTD and (
            section.size > _DECODED_MAX or section.size > section.stored * _RATIO_MAX + (1 << 20)
        ):
            raise self.fault("a section is too large")


def _read(fd: int, offset: int, size: int) -> bytes:
    """Return what is there, by as few reads as the kernel allows."""
    data = os.pread(fd, size, offset)
    while len(data) < size:
        more = os.pread(fd, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data
