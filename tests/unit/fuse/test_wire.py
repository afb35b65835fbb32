"""The kernel's messages, against the layouts of linux/fuse.h."""

import ctypes
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuse import wire
from fuse.entry import Inode

U16, U32, U64, S32, S64 = (
    ctypes.c_uint16,
    ctypes.c_uint32,
    ctypes.c_uint64,
    ctypes.c_int32,
    ctypes.c_int64,
)


def layout(text: str) -> type[ctypes.Structure]:
    """Return a C structure of fields `name:type`, as a compiler lays it out."""
    types = {"u16": U16, "u32": U32, "u64": U64, "s32": S32, "s64": S64, "attr": Attr}
    fields = [tuple(field.split(":")) for field in text.split()]
    made = [(name, types[kind]) for name, kind in fields]
    return type("Layout", (ctypes.Structure,), {"_fields_": made})


class Attr(ctypes.Structure):
    """The structure fuse_attr."""

    _fields_ = [
        ("ino", U64),
        ("size", U64),
        ("blocks", U64),
        ("atime", S64),
        ("mtime", S64),
        ("ctime", S64),
        ("atimensec", U32),
        ("mtimensec", U32),
        ("ctimensec", U32),
        ("mode", U32),
        ("nlink", U32),
        ("uid", U32),
        ("gid", U32),
        ("rdev", U32),
        ("blksize", U32),
        ("flags", U32),
    ]


class EntryOut(ctypes.Structure):
    """The structure fuse_entry_out."""

    _fields_ = [
        ("nodeid", U64),
        ("generation", U64),
        ("entry_valid", U64),
        ("attr_valid", U64),
        ("entry_valid_nsec", U32),
        ("attr_valid_nsec", U32),
        ("attr", Attr),
    ]


class Dirent(ctypes.Structure):
    """The structure fuse_dirent, without the name."""

    _fields_ = [("ino", U64), ("off", U64), ("namelen", U32), ("type", U32)]


@pytest.mark.parametrize(
    ("packed", "fields"),
    [
        (
            wire.REQUEST,
            "len:u32 opcode:u32 unique:u64 nodeid:u64 uid:u32 gid:u32 pid:u32 ext:u16 pad:u16",
        ),
        (wire.ANSWER, "len:u32 error:s32 unique:u64"),
        (
            wire.ENTRY,
            "nodeid:u64 generation:u64 entry:u64 attr:u64 entry_ns:u32 attr_ns:u32 at:attr",
        ),
        (wire.ATTRIBUTES, "valid:u64 ns:u32 dummy:u32 at:attr"),
        (wire.DIRENT, "ino:u64 off:u64 namelen:u32 type:u32"),
        (wire.OPENED, "fh:u64 flags:u32 padding:u32"),
        (wire.SIZE, "size:u32 padding:u32"),
        (wire.NUMBER, "offset:u64"),
        (wire.STORE, "nodeid:u64 offset:u64 size:u32 padding:u32"),
        (wire.GETATTR_IN, "flags:u32 dummy:u32 fh:u64"),
        (wire.OPEN_IN, "flags:u32 open_flags:u32"),
        (wire.WRITE_IN, "fh:u64 offset:u64 size:u32 wflags:u32 owner:u64 flags:u32 padding:u32"),
        (wire.CREATE_IN, "flags:u32 mode:u32 umask:u32 open_flags:u32"),
        (wire.MKNOD_IN, "mode:u32 rdev:u32 umask:u32 padding:u32"),
        (wire.MKDIR_IN, "mode:u32 umask:u32"),
        (wire.FSYNC_IN, "fh:u64 flags:u32 padding:u32"),
        (wire.SETXATTR_IN, "size:u32 flags:u32"),
        (wire.SETXATTR_EXT_IN, "size:u32 flags:u32 setxattr_flags:u32 padding:u32"),
        (wire.GETXATTR_IN, "size:u32 padding:u32"),
        (wire.BATCH_IN, "count:u32 dummy:u32"),
        (wire.LSEEK_IN, "fh:u64 offset:u64 whence:u32 padding:u32"),
        (wire.FALLOCATE_IN, "fh:u64 offset:u64 length:u64 mode:u32 padding:u32"),
        (wire.COPY_IN, "fh:u64 off:u64 node:u64 fh2:u64 off2:u64 len:u64 flags:u64"),
        (
            wire.SETATTR_IN,
            (
                "valid:u32 padding:u32 fh:u64 size:u64 owner:u64 atime:u64 mtime:u64 ctime:u64 "
                "a:u32 m:u32 c:u32 mode:u32 unused4:u32 uid:u32 gid:u32 unused5:u32"
            ),
        ),
    ],
)
def test_layouts(packed: struct.Struct, fields: str) -> None:
    """Every field lies where a C compiler puts it."""
    structure = layout(fields)
    assert packed.size == ctypes.sizeof(structure)
    _same_offsets(packed.format.removeprefix("="), structure)


def test_a_reads_beginning() -> None:
    """Of fuse_read_in only handle, offset and size are looked at."""
    structure = layout("fh:u64 offset:u64 size:u32 flags:u32 owner:u64 open:u32 padding:u32")
    _same_offsets(wire.READ_IN.format.removeprefix("="), structure)


def _same_offsets(letters: str, structure: type[ctypes.Structure]) -> None:
    """Compare where each field begins, those of an inner fuse_attr included."""
    offsets = []
    for name, kind in structure._fields_:
        start = getattr(structure, name).offset
        if kind is Attr:
            offsets += [start + getattr(Attr, inner).offset for inner, _ in Attr._fields_]
        else:
            offsets.append(start)
    expected = [struct.calcsize("=" + letters[:count]) for count in range(len(letters))]
    assert expected == offsets[: len(letters)]


NAMES = st.binary(min_size=0, max_size=255).map(lambda raw: raw.replace(b"\0", b"x"))
U32S = st.integers(0, 2**32 - 1)
U64S = st.integers(0, 2**64 - 1)
INODES = st.builds(
    Inode,
    ino=st.integers(1, 2**63),
    mode=st.sampled_from([0o040755, 0o100644, 0o120777, 0o020600, 0o060600, 0o010600, 0o140777]),
    nlink=st.integers(1, 2**31),
    uid=U32S,
    gid=U32S,
    size=st.integers(0, 2**62),
    mtime_ns=st.integers(-(2**100), 2**100),
    rdev=U64S,
    layer=st.just(0),
    offset=st.just(0),
    target=st.just(b""),
    sparse=st.just(False),
)


@given(inode=INODES, uid=U32S, gid=U32S, nlink=U32S)
def test_attributes_of_the_tree(inode: Inode, uid: int, gid: int, nlink: int) -> None:
    """Any object of a tree can be told to the kernel, whatever its numbers are."""
    told = wire.attributes_answer(wire.lower_attributes(inode, uid, gid, nlink))
    attr = Attr.from_buffer_copy(told, 16)
    assert (attr.ino, attr.mode, attr.size) == (inode.ino, inode.mode, inode.size)
    assert (attr.uid, attr.gid, attr.nlink) == (uid, gid, nlink)
    assert attr.rdev == inode.rdev % 2**32
    assert attr.blocks * 512 - attr.size in range(512)
    assert attr.blksize == wire.BLOCK_SIZE
    assert attr.mtime == attr.atime == attr.ctime == wire.seconds(inode.mtime_ns)
    assert attr.mtimensec == attr.atimensec == attr.ctimensec == inode.mtime_ns % 10**9


@given(inode=INODES)
def test_both_ways_agree(inode: Inode) -> None:
    """An object of the tree has the same attributes by either function."""
    times = (inode.mtime_ns,) * 3
    same = wire.attributes(
        inode.ino, inode.mode, 3, (1, 2), inode.size, -(-inode.size // 512), times, inode.rdev
    )
    assert wire.lower_attributes(inode, 1, 2, 3) == same


def test_attributes_with_three_times() -> None:
    """Each time keeps its own seconds and nanoseconds."""
    times = (1_000_000_001, 2_000_000_002, 3_000_000_003)
    told = wire.entry(7, wire.attributes(9, 0o100644, 1, (3, 4), 5, 6, times, 0))
    entry = EntryOut.from_buffer_copy(told)
    attr = entry.attr
    assert (entry.nodeid, attr.ino, attr.uid, attr.gid, attr.blocks) == (7, 9, 3, 4, 6)
    assert (attr.atime, attr.atimensec) == (1, 1)
    assert (attr.mtime, attr.mtimensec) == (2, 2)
    assert (attr.ctime, attr.ctimensec) == (3, 3)
    assert entry.entry_valid == entry.attr_valid == wire.FOREVER


@pytest.mark.parametrize(
    ("time_ns", "seconds"),
    [
        (0, 0),
        (-1, -1),
        (-1_500_000_000, -2),
        (1_999_999_999, 1),
        (10**40, 2**62),
        (-(10**40), -(2**62)),
    ],
)
def test_times(time_ns: int, seconds: int) -> None:
    """Times before 1970 round down, as nanoseconds count up; absurd ones become the nearest."""
    assert wire.seconds(time_ns) == seconds


@given(
    ino=U64S,
    inode=INODES,
    position=st.integers(0, 2**63),
    name=NAMES,
    before=st.binary(max_size=3).map(lambda raw: raw * 8),
)
def test_a_named_entry(ino: int, inode: Inode, position: int, name: bytes, before: bytes) -> None:
    """An entry has its attributes, its position and its name, padded to whole words."""
    fields = wire.lower_attributes(inode, 1, 2, 3)
    packed = wire.named_entry(ino, fields, position, name)
    assert len(packed) % 8 == 0
    assert len(packed) == wire.named_length(name)
    assert packed[: wire.ENTRY.size] == wire.entry(ino, fields)
    dirent = Dirent.from_buffer_copy(packed, wire.ENTRY.size)
    assert (dirent.ino, dirent.off, dirent.namelen) == (inode.ino, position, len(name))
    assert dirent.type == inode.mode >> 12
    start = wire.ENTRY.size + wire.DIRENT.size
    assert packed[start:] == name + bytes(len(packed) - start - len(name))
    several = memoryview(before + packed + before)
    assert wire.length_at(several, len(before)) == len(packed)
    assert wire.name_at(several, len(before)) == name


def test_names_of_every_length() -> None:
    """Up to 255 bytes, the longest name that there is."""
    for length in range(256):
        name = b"n" * length
        packed = wire.named_entry(1, (0,) * 16, 1, name)
        assert (wire.name_at(packed, 0), wire.length_at(packed, 0)) == (name, len(packed))


@pytest.mark.parametrize("name", [b".", b".."])
def test_the_dots(name: bytes) -> None:
    """They say number and type of a directory, and count for no look-up."""
    packed = wire.dots(5, 17, name)
    entry = EntryOut.from_buffer_copy(packed)
    dirent = Dirent.from_buffer_copy(packed, wire.ENTRY.size)
    assert (entry.nodeid, entry.attr.mode) == (0, wire.DIRECTORY)
    assert (dirent.ino, dirent.off, dirent.type) == (5, 17, 4)
    assert wire.name_at(packed, 0) == name
    assert wire.named_length(name) == len(packed)


def test_absence_is_an_answer() -> None:
    """Number 0 with a time tells the kernel that it may keep "there is none"."""
    entry = EntryOut.from_buffer_copy(wire.ABSENT)
    assert (entry.nodeid, entry.entry_valid) == (0, wire.FOREVER)
    assert len(wire.ABSENT) == ctypes.sizeof(EntryOut)


def test_a_list_of_names() -> None:
    """As listxattr(2): each name ends with a zero byte."""
    assert wire.names_list([b"user.a", b"user.b"]) == b"user.a\0user.b\0"
    assert wire.names_list([]) == b""


@given(pairs=st.lists(st.tuples(U64S, U64S), max_size=50), more=st.binary(max_size=20))
def test_forgotten(pairs: list[tuple[int, int]], more: bytes) -> None:
    """As many pairs are read as the request says, whatever lies behind them in the buffer."""
    body = struct.pack("=II", len(pairs), 0)
    body += b"".join(struct.pack("=QQ", *pair) for pair in pairs) + more
    assert list(wire.forgotten(memoryview(body))) == pairs
