"""What programs are told of an object: from where it lies, and what was noted of it."""

import os
import stat
from typing import NamedTuple

from .entry import Inode
from .node import Node

# One link of a directory says "unknown" to find(1): a half's count alone would mislead it.
_UNKNOWN = 1


class Status(NamedTuple):
    """An object's attributes; the first eight as an `Inode` has them."""

    ino: int
    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    rdev: int
    blocks: int
    atime_ns: int
    ctime_ns: int


class Kind(NamedTuple):
    """What an upperdir may have noted of an object in place of what it could store."""

    mode: int
    uid: int
    gid: int
    rdev: int


def of_lower(node: Node, lower: Inode, owner: tuple[int, int], hidden_links: int) -> Status:
    """Return the attributes of an object of the lower tree.

    Args:
        node: Its node.
        lower: The object.
        owner: UID and GID as the mount shows them.
        hidden_links: So many of its names were removed.
    """
    changed_ns = node.changed_ns or lower.mtime_ns
    if node.is_removed:
        nlink = 0
    else:
        nlink = lower.nlink - hidden_links if node.hidden is None else _UNKNOWN
    return Status(
        node.ino,
        lower.mode,
        nlink,
        *owner,
        lower.size,
        changed_ns,
        lower.rdev,
        (lower.size + 511) // 512,
        lower.mtime_ns,
        changed_ns,
    )


def of_upper(node: Node, stored: os.stat_result, noted: Kind | None) -> Status:
    """Return the attributes of an object of the upperdir.

    Args:
        node: Its node.
        stored: Its status there.
        noted: What wins over it; None for nothing.
    """
    kind = noted or Kind(stored.st_mode, stored.st_uid, stored.st_gid, stored.st_rdev)
    mode = (stat.S_IFMT(kind.mode) or stat.S_IFMT(stored.st_mode)) | stat.S_IMODE(kind.mode)
    nlink = _UNKNOWN if node.is_directory and node.lower is not None else stored.st_nlink
    return Status(
        node.ino,
        mode,
        nlink,
        kind.uid,
        kind.gid,
        stored.st_size,
        stored.st_mtime_ns,
        kind.rdev,
        stored.st_blocks,
        stored.st_atime_ns,
        stored.st_ctime_ns,
    )
