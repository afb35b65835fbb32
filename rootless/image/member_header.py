"""The header of one member of a tar, the same bytes for the same object: POSIX.1-2017 pax.

Extended attributes as star has them (`SCHILY.xattr.`); one whose name holds a `=`, which ends the
key of such a record, as libarchive has it. Files with holes are in GNU tar's sparse format 1.0.
A time has a record of its own only where it is no whole second, or before 1970. Users go by number.
"""

import base64
import os
import stat
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from rootless.image.sparse_map import SparseMap

END = bytes(2 * tarfile.BLOCKSIZE)
_TYPES = {
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}
_PLAIN_TYPES = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
}
_REST = bytes(512 - 265)  # names of users, device numbers, prefix: none of them is used
_ID_MAX, _NUMBER_MAX = 8**7 - 1, 8**11 - 1


@dataclass(frozen=True, slots=True)
class Member:
    """One object as a tar is to have it.

    Attributes:
        path: Relative; `.` is the root.
        mode: Type and permissions.
        uid: Owner.
        gid: Group.
        mtime_ns: Time of last modification.
        size: Length of a regular file.
        target: Of a symbolic link.
        rdev: Device number.
        xattrs: Extended attributes, those that go in.
        link: The path of an earlier member that this is one more name of; "" for none.
    """

    path: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    target: str = ""
    rdev: int = 0
    xattrs: Mapping[bytes, bytes] = field(default_factory=dict)
    link: str = ""


def header(member: Member, holes: SparseMap | None = None) -> bytes:
    """Return what stands before a member's contents; with *holes*, also the map of its pieces."""
    if holes is None and not member.xattrs:
        plain = plain_header(member)
        if plain is not None:
            return plain
    return _any_header(member, holes)


def _any_header(member: Member, holes: SparseMap | None) -> bytes:
    info = tarfile.TarInfo("./" if member.path == "." else member.path)
    kind = stat.S_IFMT(member.mode)
    info.type = tarfile.LNKTYPE if member.link else _TYPES.get(kind, tarfile.REGTYPE)
    info.linkname = member.link or member.target
    info.mode = stat.S_IMODE(member.mode)
    info.uid, info.gid = member.uid, member.gid
    info.devmajor, info.devminor = os.major(member.rdev), os.minor(member.rdev)
    seconds, nanoseconds = divmod(member.mtime_ns, 10**9)
    info.mtime = seconds
    records = info.pax_headers = dict(_xattr_records(member.xattrs.items()))
    if nanoseconds or seconds < 0:
        records["mtime"] = _decimal(member.mtime_ns)
    if info.type == tarfile.REGTYPE:
        info.size = member.size
    map_blocks = b""
    if holes is not None:
        map_blocks = holes.blocks()
        records |= holes.records(member.path)
        info.size = len(map_blocks) + holes.stored
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape") + map_blocks


def plain_header(member: Member) -> bytes | None:
    """Return the same as `tarfile` makes, in a fifth of its time; None where that is not so easy.

    Most members have a short name in ASCII, small numbers, and no attributes.
    """
    kind = stat.S_IFMT(member.mode)
    link = member.link or member.target
    is_folder = kind == stat.S_IFDIR and not member.link
    name = f"{member.path}/" if is_folder else member.path
    size = member.size if kind == stat.S_IFREG and not member.link else 0
    seconds, nanoseconds = divmod(member.mtime_ns, 10**9)
    if (
        kind not in _PLAIN_TYPES
        or member.path == "."
        or member.path.endswith("/")
        or len(name) > 100
        or len(link) > 100
        or not (name.isascii() and link.isascii())
        or max(member.uid, member.gid) > _ID_MAX
        or not 0 <= seconds <= _NUMBER_MAX
        or size > _NUMBER_MAX
    ):
        return None
    extended = b""
    if nanoseconds:
        record = _record(b"mtime", _decimal(member.mtime_ns).encode())
        extended = _block(b"././@PaxHeader", 0, (0, 0, len(record), 0), b"x", b"")
        extended += record + padding(len(record))
    mark = tarfile.LNKTYPE if member.link else _PLAIN_TYPES[kind]
    numbers = (member.uid, member.gid, size, seconds)
    mode = stat.S_IMODE(member.mode)
    return extended + _block(name.encode(), mode, numbers, mark, link.encode())


def _block(
    name: bytes, mode: int, numbers: tuple[int, int, int, int], mark: bytes, link: bytes
) -> bytes:
    """Return one header block; the numbers are UID, GID, size and time."""
    fields = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, *numbers)
    front = name.ljust(100, b"\0") + fields
    back = mark + link.ljust(100, b"\0") + b"ustar\x0000" + _REST
    # Adler-32's low half is 1 + the sum of the bytes, which these are too few to overflow
    parts = (front, back[:200], back[200:])
    checksum = sum((zlib.adler32(part) & 0xFFFF) - 1 for part in parts) + 8 * 0x20
    return b"%b%06o\0 %b" % (front, checksum, back)


def _record(key: bytes, value: bytes) -> bytes:
    """Return one pax record, whose length counts itself."""
    length = len(key) + len(value) + 3
    digits = len(b"%d" % (length + len(b"%d" % length)))
    return b"%d %b=%b\n" % (length + digits, key, value)


def padding(size: int) -> bytes:
    """Return what fills a member's contents up to whole blocks."""
    return bytes(-size % tarfile.BLOCKSIZE)


def _xattr_records(xattrs: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[str, str]]:
    for name, value in sorted(xattrs):
        if b"=" in name:
            yield f"LIBARCHIVE.xattr.{quote_from_bytes(name)}", base64.b64encode(value).decode()
        else:
            yield f"SCHILY.xattr.{os.fsdecode(name)}", value.decode("utf-8", "surrogateescape")


def _decimal(time_ns: int) -> str:
    """Return a time in seconds with its fraction, exactly; a float keeps no nanoseconds."""
    seconds, nanoseconds = divmod(abs(time_ns), 10**9)
    sign = "-" if time_ns < 0 else ""
    return f"{sign}{seconds}.{nanoseconds:09}"
