"""The type of a file system by name, its free space and its mount flags: statfs(2).

Python's os.statvfs leaves out the type, and the type decides: NFS and Lustre keep no xattrs or IDs
of a sub-range, tmpfs has user xattrs since Linux 6.6 only. Magic numbers: linux/magic.h and the
file systems' own sources.
"""

import ctypes
import os
from dataclasses import dataclass
from typing import ClassVar

from rootless.linux.libc import check, function

ST_RDONLY = 0x1
ST_NOSUID = 0x2
ST_NODEV = 0x4
ST_NOEXEC = 0x8

_NAMES = {
    0x0000EF53: "ext4",  # ext2 and ext3 have the same
    0x58465342: "xfs",
    0x9123683E: "btrfs",
    0xF2F52010: "f2fs",
    0xCA451A4E: "bcachefs",
    0x2FC12FC1: "zfs",
    0x00009FA0: "proc",
    0x01021994: "tmpfs",
    0x858458F6: "ramfs",
    0x794C7630: "overlay",
    0x73717368: "squashfs",
    0xE0F5E1E2: "erofs",
    0x00009660: "iso9660",
    0x00004D44: "vfat",
    0x2011BAB0: "exfat",
    0x7366746E: "ntfs3",
    0x65735546: "fuse",
    0x00006969: "nfs",
    0x0BD00BD0: "lustre",
    0x47504653: "gpfs",
    0x19830326: "beegfs",
    0x00C36400: "ceph",
    0xAAD7AAEA: "panfs",
    0x5346414F: "afs",
    0xFF534D42: "cifs",
    0xFE534D42: "smb2",
    0x01021997: "9p",
    0x6A656A63: "virtiofs",
}

# Where many machines share one server: its locks, owners and xattrs follow other rules.
NETWORK = frozenset(
    {"nfs", "lustre", "gpfs", "beegfs", "ceph", "panfs", "afs", "cifs", "smb2", "9p"}
)


class _StatFS(ctypes.Structure):
    """`struct statfs` of a 64-bit Linux (asm-generic/statfs.h)."""

    _fields_: ClassVar = [
        ("f_type", ctypes.c_long),
        ("f_bsize", ctypes.c_long),
        ("f_blocks", ctypes.c_ulong),
        ("f_bfree", ctypes.c_ulong),
        ("f_bavail", ctypes.c_ulong),
        ("f_files", ctypes.c_ulong),
        ("f_ffree", ctypes.c_ulong),
        ("f_fsid", ctypes.c_int * 2),
        ("f_namelen", ctypes.c_long),
        ("f_frsize", ctypes.c_long),
        ("f_flags", ctypes.c_long),
        ("f_spare", ctypes.c_long * 4),
    ]


_statfs = function("statfs", ctypes.c_char_p, ctypes.POINTER(_StatFS))


@dataclass(frozen=True, slots=True)
class FileSystem:
    """What statfs(2) says of the file system that holds a path.

    Attributes:
        type_name: As /proc/mounts would call it, or the magic number in hexadecimal.
        free_bytes: What an ordinary user can still write; quotas not counted.
        free_inodes: How many files can still be made; -1 where the file system has no limit.
        read_only: Mounted so.
        no_exec: Programs on it cannot be started.
        no_dev: Device nodes on it cannot be opened.
    """

    type_name: str
    free_bytes: int
    free_inodes: int
    read_only: bool
    no_exec: bool
    no_dev: bool

    @property
    def is_network(self) -> bool:
        """Tell whether other machines share it."""
        return self.type_name in NETWORK


def type_name(magic: int) -> str:
    """Return the name of a file system's magic number."""
    magic &= 0xFFFFFFFF  # a long, sign-extended on some architectures
    return _NAMES.get(magic, f"{magic:#x}")


def statfs(path: str | os.PathLike[str]) -> FileSystem:
    """Return what holds `path`; raises OSError."""
    buffer = _StatFS()
    encoded = os.fsencode(path)
    check(_statfs(encoded, ctypes.byref(buffer)), encoded)
    return FileSystem(
        type_name=type_name(buffer.f_type),
        free_bytes=buffer.f_bavail * buffer.f_bsize,
        free_inodes=buffer.f_ffree if buffer.f_files else -1,
        read_only=bool(buffer.f_flags & ST_RDONLY),
        no_exec=bool(buffer.f_flags & ST_NOEXEC),
        no_dev=bool(buffer.f_flags & ST_NODEV),
    )
