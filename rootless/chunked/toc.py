"""A table of contents as it is once everything in it has been checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from rootless.oci.digest import Digest


class Kind(Enum):
    """Which of the two formats a layer is in."""

    ESTARGZ = "estargz"
    ZSTD_CHUNKED = "zstd-chunked"


class Codec(Enum):
    """How a chunk lies in the blob."""

    GZIP = "gzip"
    ZSTD = "zstd"
    ZEROS = "zeros"
    """Nothing is to be fetched: the chunk is zeros."""


class EntryType(Enum):
    """What an entry stands for, in the TOC's own words."""

    DIRECTORY = "dir"
    FILE = "reg"
    SYMLINK = "symlink"
    HARD_LINK = "hardlink"
    CHARACTER_DEVICE = "char"
    BLOCK_DEVICE = "block"
    FIFO = "fifo"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file that is fetched and checked by itself.

    Attributes:
        file_offset: Where it begins in the file.
        size: Its length.
        place: Where in the blob the gzip member or zstd frame begins that has it.
        stored: How many bytes of the blob are needed to decode it.
        inner: How many bytes of what is decoded come before it.
        codec: How it is compressed.
        digest: SHA-256 of the chunk, 32 bytes; empty for zeros.
    """

    file_offset: int
    size: int
    place: int
    stored: int
    inner: int
    codec: Codec
    digest: bytes


@dataclass(frozen=True, slots=True)
class TocEntry:
    """One member of the layer, whiteouts included: they are ordinary entries, named `.wh.NAME`.

    Attributes:
        path: Relative to the root, clean; empty for the root itself.
        type: What it stands for.
        mode: Permissions, without the type's bits.
        uid: Owner.
        gid: Group.
        mtime_ns: Time of last modification in nanoseconds.
        size: Length of a regular file.
        target: Of a symbolic link as it stands; of a hard link a path like `path`.
        rdev: Device number of a device node.
        xattrs: Extended attributes, those that an image may have.
        chunks: Of a regular file, without gaps, in order.
    """

    path: bytes
    type: EntryType
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int
    target: bytes
    rdev: int
    xattrs: Mapping[bytes, bytes]
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Toc:
    """What a layer has, and where.

    Attributes:
        kind: The layer's format.
        digest: The digest that the layer's descriptor gave, and that was right.
        entries: In the order of the tar.
        contents_end: Where in the blob the contents end and the TOC begins.
        prefetch_end: Where the area ends that whoever made the layer wants to have read first; 0
            where there is none.
    """

    kind: Kind
    digest: Digest
    entries: tuple[TocEntry, ...]
    contents_end: int
    prefetch_end: int
