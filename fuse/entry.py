"""The attributes of one object: `Entry` as a layer tells them, `Inode` as the merged tree does.

Both are named tuples and not dataclasses: an image has tens of thousands, and they travel between
the tar reader, SQLite and the file system without a conversion.
"""

from dataclasses import dataclass
from typing import NamedTuple

TREE_VERSION = 2
"""Number of the merged tree's format (tree_schema.sql); raised whenever its meaning changes."""
HARD_LINK = 1
"""Flag: the entry is a hard link to `target`; its own attributes say nothing."""
HAS_XATTRS = 2
"""Flag: the index has extended attributes of this entry."""
SPARSE = 4
"""Flag: the file has holes; the index has its extents."""

IMPLIED_LAYER = -1
"""What `Inode.layer` is of a directory that no layer names: its attributes are nobody's."""

NO_XATTRS: dict[bytes, bytes] = {}
"""What an entry without extended attributes has; never written to."""

Extent = tuple[int, int, int]
"""A piece of a sparse file: offset in the file, length, offset in the layer's tar."""


class Entry(NamedTuple):
    """One member of a layer's tar that stands for an object of the file system.

    Attributes:
        number: Position among the layer's members, from 1: a later one wins over an earlier.
        path: Bytes relative to the root, no slash at either end; empty for the root itself.
        mode: Type and permissions, as `st_mode` has them.
        uid: Owner.
        gid: Group.
        size: Length of a regular file, or of a link's target; 0 for everything else.
        mtime_ns: Time of last modification in nanoseconds.
        rdev: Device number of a device node, as `os.makedev` gives it.
        offset: Where the contents begin in the layer's tar.
        target: A symbolic link's target as it stands; a hard link's as a path like `path`.
        flags: `HARD_LINK`, `HAS_XATTRS`, `SPARSE`.
    """

    number: int
    path: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    rdev: int
    offset: int
    target: bytes
    flags: int


class Inode(NamedTuple):
    """One object of a merged tree.

    Attributes:
        ino: Its number, from 1 (the root) without gaps; the same for every hard link of it.
        mode: Type and permissions, as `st_mode` has them.
        nlink: Names that the merged tree has for it; for a directory 2 and its subdirectories.
        uid: Owner.
        gid: Group.
        size: Length of a regular file, or of a link's target; 0 for everything else.
        mtime_ns: Time of last modification in nanoseconds.
        rdev: Device number of a device node, as `os.makedev` gives it.
        layer: Which layer of the chain it comes from, the lowest is 0.
        offset: Where the contents begin in that layer's tar.
        target: A symbolic link's target.
        sparse: Whether the file has holes: its contents are its extents.
    """

    ino: int
    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    rdev: int
    layer: int
    offset: int
    target: bytes
    sparse: bool


@dataclass(frozen=True, slots=True)
class TreeStatistics:
    """What a merged tree holds.

    Attributes:
        inodes: Objects, the root included; hard links count once.
        bytes: Sum of the sizes of the regular files.
    """

    inodes: int
    bytes: int
