"""The messages of the FUSE kernel protocol that are read and written here (linux/fuse.h, 7.31 on).

pyfuse3 speaks the protocol for the file system as a whole; this module has the layouts of the
requests that the fast path answers by itself (`fast_path`). All numbers are in the machine's own
byte order, and a struct is padded by its fields: `=` keeps Python from adding more.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from .entry import Inode

# Requests (enum fuse_opcode)
LOOKUP: Final = 1
FORGET: Final = 2
GETATTR: Final = 3
SETATTR: Final = 4
READLINK: Final = 5
SYMLINK: Final = 6
MKNOD: Final = 8
MKDIR: Final = 9
UNLINK: Final = 10
RMDIR: Final = 11
LINK: Final = 13
OPEN: Final = 14
READ: Final = 15
WRITE: Final = 16
RELEASE: Final = 18
FSYNC: Final = 20
SETXATTR: Final = 21
GETXATTR: Final = 22
LISTXATTR: Final = 23
INIT: Final = 26
OPENDIR: Final = 27
RELEASEDIR: Final = 29
FSYNCDIR: Final = 30
CREATE: Final = 35
INTERRUPT: Final = 36
BATCH_FORGET: Final = 42
FALLOCATE: Final = 43
READDIRPLUS: Final = 44
LSEEK: Final = 46
COPY_FILE_RANGE: Final = 47
TMPFILE: Final = 51

# What the answer to INIT asks for (FUSE_*)
DONT_MASK: Final = 1 << 6
AUTO_INVAL_DATA: Final = 1 << 12
POSIX_ACL: Final = 1 << 20
CACHE_SYMLINKS: Final = 1 << 23
EXPLICIT_INVAL_DATA: Final = 1 << 25
SETXATTR_EXT: Final = 1 << 29
ACLS: Final = DONT_MASK | POSIX_ACL | SETXATTR_EXT
"""ACLs are kept here, which takes the umask into account and a set-GID bit away with them."""

NOTIFY_STORE: Final = 4  # enum fuse_notify_code

# Flags of an answer to OPEN and CREATE (FOPEN_*)
KEEP_CACHE: Final = 1 << 1

# A request: len, opcode, unique, nodeid, uid, gid, pid, total_extlen, padding
REQUEST: Final = struct.Struct("=IIQQIIIHH")
HEAD: Final = struct.Struct("=4xIQQ")
"""Of these opcode, unique and nodeid: what every request is asked for."""
BODY: Final = REQUEST.size
"""Where a request's own fields begin."""

# An answer: len, error, unique
ANSWER: Final = struct.Struct("=IiQ")

# fuse_attr: ino, size, blocks, atime, mtime, ctime, their nanoseconds, mode, nlink, uid, gid, rdev,
# blksize, flags
_ATTR = "QQQqqqIIIIIIIIII"
# fuse_entry_out: nodeid, generation, entry_valid, attr_valid, the two's nanoseconds, fuse_attr
ENTRY: Final = struct.Struct("=QQQQII" + _ATTR)
# fuse_attr_out: attr_valid, its nanoseconds, dummy, fuse_attr
ATTRIBUTES: Final = struct.Struct("=QII" + _ATTR)
# fuse_dirent: ino, off, namelen, type; then the name, padded to eight bytes
DIRENT: Final = struct.Struct("=QQII")

NAMELEN: Final = struct.Struct("=I")
DIRECTORY: Final = 0o040000

# fuse_open_out: fh, open_flags, padding
OPENED: Final = struct.Struct("=QII")
# fuse_write_out, fuse_getxattr_out: size, padding
SIZE: Final = struct.Struct("=II")
# fuse_lseek_out, and the number that begins most requests about open files
NUMBER: Final = struct.Struct("=Q")
# fuse_notify_store_out: nodeid, offset, size, padding
STORE: Final = struct.Struct("=QQII")

# Requests' own fields, from BODY on
GETATTR_IN: Final = struct.Struct("=IIQ")  # getattr_flags, dummy, fh
OPEN_IN: Final = struct.Struct("=II")  # flags, open_flags
READ_IN: Final = struct.Struct("=QQI")  # fh, offset, size; more follows
WRITE_IN: Final = struct.Struct("=QQIIQII")  # fh, offset, size, write_flags, lock_owner, flags, -
CREATE_IN: Final = struct.Struct("=IIII")  # flags, mode, umask, open_flags; then the name
MKNOD_IN: Final = struct.Struct("=IIII")  # mode, rdev, umask, padding; then the name
MKDIR_IN: Final = struct.Struct("=II")  # mode, umask; then the name
FSYNC_IN: Final = struct.Struct("=QII")  # fh, fsync_flags, padding
SETXATTR_IN: Final = struct.Struct("=II")  # size, flags; then the name and the value
SETXATTR_EXT_IN: Final = struct.Struct("=IIII")  # size, flags, setxattr_flags, padding
GETXATTR_IN: Final = struct.Struct("=II")  # size, padding; then the name
BATCH_IN: Final = struct.Struct("=II")  # count, dummy; then pairs of nodeid and nlookup
LSEEK_IN: Final = struct.Struct("=QQII")  # fh, offset, whence, padding
FALLOCATE_IN: Final = struct.Struct("=QQQII")  # fh, offset, length, mode, padding
COPY_IN: Final = struct.Struct("=QQQQQQQ")  # fh_in, off_in, nodeid_out, fh_out, off_out, len, flags
# valid, padding, fh, size, lock_owner, times, their nanoseconds, mode, unused, uid, gid, unused
SETATTR_IN: Final = struct.Struct("=IIQQQqqqIIIIIIII")

_MODE = 9  # among the fields of a fuse_attr
_TIME_MAX = 2**62
SECOND: Final = 10**9
BLOCK_SIZE: Final = 4096
FOREVER: Final = 365 * 86400
"""Seconds for which the kernel may keep a name or attributes: it is told of every change."""

ABSENT: Final = ENTRY.pack(0, 0, FOREVER, 0, 0, 0, *[0] * 16)
"""The answer "there is no such name", which the kernel may keep."""

Attributes = tuple[int, ...]
"""The fields of a fuse_attr."""


def attributes(  # noqa: PLR0917 - eight numbers, in one place
    ino: int,
    mode: int,
    nlink: int,
    owner: tuple[int, int],
    size: int,
    blocks: int,
    times_ns: tuple[int, int, int],
    rdev: int,
) -> Attributes:
    """Return an object's attributes in the order of the protocol.

    Args:
        ino: Its number.
        mode: Type and permissions.
        nlink: Its names.
        owner: UID and GID, as shown.
        size: Bytes.
        blocks: Units of 512 bytes.
        times_ns: Of access, modification and change, in nanoseconds.
        rdev: Device number, as makedev(3) gives it.
    """
    atime, mtime, ctime = times_ns
    return (
        ino,
        size,
        blocks,
        seconds(atime),
        seconds(mtime),
        seconds(ctime),
        atime % SECOND,
        mtime % SECOND,
        ctime % SECOND,
        mode,
        nlink,
        *owner,
        rdev & 0xFFFFFFFF,
        BLOCK_SIZE,
        0,
    )


def lower_attributes(inode: Inode, uid: int, gid: int, nlink: int) -> Attributes:
    """Return the attributes of an object of the lower tree, which has one time for all three."""
    # One expression: this runs for every object of an image when its tree is built.
    ino, mode, _, _, _, size, mtime_ns, rdev, *_ = inode
    at, ns = seconds(mtime_ns), mtime_ns % SECOND
    owner = (uid, gid, rdev & 0xFFFFFFFF, BLOCK_SIZE, 0)
    return (ino, size, (size + 511) // 512, at, at, at, ns, ns, ns, mode, nlink, *owner)


def seconds(time_ns: int) -> int:
    """Return a time in seconds that fits the kernel's 64 bits: an archive's may be any number."""
    whole = time_ns // SECOND
    return whole if -_TIME_MAX < whole < _TIME_MAX else max(-_TIME_MAX, min(whole, _TIME_MAX))


def entry(ino: int, fields: Attributes) -> bytes:
    """Return the answer to a look-up."""
    return ENTRY.pack(ino, 0, FOREVER, FOREVER, 0, 0, *fields)


def attributes_answer(fields: Attributes) -> bytes:
    """Return the answer to a request for attributes."""
    return ATTRIBUTES.pack(FOREVER, 0, 0, *fields)


_NAMED = tuple(struct.Struct(f"=QQQQII{_ATTR}QQII{8 * words}s") for words in range(33))
"""fuse_direntplus, by the length of its name in units of eight bytes."""


def named_entry(ino: int, fields: Attributes, position: int, name: bytes) -> bytes:
    """Return one entry of a directory with its attributes (fuse_direntplus).

    Args:
        ino: The object's number; 0 where the entry is to count for no look-up.
        fields: Its attributes.
        position: The position behind the entry.
        name: The entry's name.
    """
    length = len(name)
    kind = fields[_MODE] >> 12
    head = (ino, 0, FOREVER, FOREVER, 0, 0, *fields)
    return _NAMED[length + 7 >> 3].pack(*head, fields[0], position, length, kind, name)


_ZEROS = (0,) * 8
_HEAD: Final = ENTRY.size + DIRENT.size


def dots(ino: int, position: int, name: bytes) -> bytes:
    """Return the entry of a directory for itself or its parent, which counts for no look-up."""
    fields = (ino, *_ZEROS, DIRECTORY, *_ZEROS[:6])
    return named_entry(0, fields, position, name)


def named_length(name: bytes) -> int:
    """Return the length of an entry of this name."""
    return _HEAD + (len(name) + 7 & ~7)


def length_at(entries: "bytes | memoryview", at: int) -> int:
    """Return the length of the entry that begins at an offset."""
    (namelen,) = NAMELEN.unpack_from(entries, at + ENTRY.size + 16)  # ino and off before it
    return int(_HEAD + (namelen + 7 & ~7))


def name_at(entries: "bytes | memoryview", at: int) -> bytes:
    """Return the name of the entry that begins at an offset."""
    (namelen,) = NAMELEN.unpack_from(entries, at + ENTRY.size + 16)
    return bytes(entries[at + _HEAD : at + _HEAD + namelen])


def names_list(names: Iterable[bytes]) -> bytes:
    """Return names of extended attributes as listxattr(2) has them."""
    return b"".join(name + b"\0" for name in names)


def forgotten(body: memoryview) -> Sequence[tuple[int, int]]:
    """Return the pairs (nodeid, nlookup) of a BATCH_FORGET."""
    count, _ = BATCH_IN.unpack_from(body)
    return list(struct.iter_unpack("=QQ", body[BATCH_IN.size : BATCH_IN.size + 16 * count]))
