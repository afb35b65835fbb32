"""A push parser for tar: chunks of any size go in, one `Entry` a member comes out.

Sources: POSIX.1-2017 pax (ustar and extended headers), GNU tar's manual (long names, sparse files,
base-256 numbers), and what Go's archive/tar accepts, since most layers are written by it.

Why not tarfile: it pulls from a file object, so that it cannot sit in the one pass in which a layer
is decompressed, hashed and written; it spends several times as long on a header; and it reads an
extended header of any length into memory.

The archive is hostile until proven otherwise. Guaranteed here: nothing larger than 1 MiB is held,
whatever the archive claims; an emitted path is relative, without `.`, `..`, NUL or empty parts, and
no longer than Linux allows; offset and size of every entry lie within what was fed once `finish`
returns.

The parser is a generator that says how many bytes to skip and how many to hand it next. So the code
reads top to bottom like a pulling parser, and the contents of files are never touched.
"""

import os
import struct
from collections.abc import Callable, Generator, Mapping, Sequence
from stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG
from typing import Final

from . import pax, sparse
from .entry import HARD_LINK, HAS_XATTRS, NO_XATTRS, SPARSE, Entry, Extent
from .tar_header import (
    BLOCK,
    Fields,
    checked_id,
    checked_size,
    checked_target,
    clean_path,
    parse_device,
    parse_fields,
    parse_name,
    parse_number,
    parse_owner,
    until_nul,
)

EXTENDED_MAX: Final = 1 << 20
"""How many bytes of extended headers and sparse map a member may have in all."""

Emit = Callable[[Entry, Mapping[bytes, bytes], Sequence[Extent]], None]
# Yields how many bytes to skip and how many to be sent after that.
_Steps = Generator[tuple[int, int], bytes, None]
_SkipSteps = Generator[tuple[int, int], bytes, int]
_MapSteps = Generator[tuple[int, int], bytes, tuple[list[int], int]]

_ZEROS = bytes(BLOCK)
_REGULAR = (b"0", b"\0", b"7", b"S")
# Linux shows every symbolic link as 0777, whatever an archive says of it.
_SPECIAL = {b"2": S_IFLNK | 0o777, b"3": S_IFCHR, b"4": S_IFBLK, b"5": S_IFDIR, b"6": S_IFIFO}
_EXTENDED = (b"x", b"X", b"g", b"L", b"K")
_NO_RECORDS: dict[bytes, bytes] = {}
_SECOND_NS = 1_000_000_000
_SECONDS_MAX = (1 << 63) // _SECOND_NS - 1
_OWNERS_KEPT = 4096


class TarFormatError(ValueError):
    """The archive is malformed, truncated or hostile; says what, which member, and where."""

    def __init__(self, reason: str, offset: int, name: bytes = b"") -> None:
        member = f", member {os.fsdecode(name[:200])!r}" if name else ""
        super().__init__(f"{reason} (at byte {offset} of the tar{member})")


class TarReader:
    """Parses one archive.

    Args:
        emit: Called with each entry, its extended attributes, and, for a sparse file, its extents.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._members = 0
        self._records: dict[bytes, bytes] = {}  # of the extended headers of the next member
        self._pairs: list[int] = []  # of sparse format 0.0, whose records repeat
        self._global: dict[bytes, bytes] = {}
        self._extended = 0
        self._owners: dict[bytes, tuple[int, int, int]] = {}
        self._at = 0  # offset in the tar of what is read next
        self._header_at = 0
        self._block = _ZEROS
        self._is_between_members = True
        self._has_ended = False
        self._pending = b""
        self._steps = self._parse()
        self._skip, self._need = next(self._steps)

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the archive; raises TarFormatError."""
        position, end = 0, len(chunk)
        skip, need = self._skip, self._need
        send = self._steps.send
        try:
            while not self._has_ended:
                if skip > end - position:
                    skip -= end - position
                    break
                position, skip = position + skip, 0
                missing = need - len(self._pending)
                if missing > end - position:
                    self._pending += bytes(chunk[position:])
                    break
                block = bytes(chunk[position : position + missing])
                position += missing
                if self._pending:
                    block, self._pending = self._pending + block, b""
                skip, need = send(block)
        except StopIteration:
            self._has_ended = True
        except ValueError as error:
            self._has_ended = True
            raise TarFormatError(str(error), self._header_at, self._name()) from None
        self._skip, self._need = skip, need

    @property
    def has_ended(self) -> bool:
        """Whether the end marker has come; what is fed after it is not looked at."""
        return self._has_ended

    def finish(self) -> None:
        """Say that the archive is complete; raises TarFormatError where it is not.

        An archive that stops where a header would begin is taken as complete, as Go and GNU tar do.
        """
        if self._has_ended:
            return
        if not self._is_between_members or self._pending or self._skip:
            raise TarFormatError("a truncated tar", self._header_at, self._name())
        if self._block == _ZEROS and not self._at:
            raise TarFormatError("an empty file where a tar was expected", 0)

    def _name(self) -> bytes:
        return self._records.get(b"path") or until_nul(self._block[:100])

    def _parse(self) -> _Steps:
        skip = 0
        while True:
            self._is_between_members = not self._extended
            block = yield skip, BLOCK
            self._header_at = self._at = self._at + skip
            self._block = block
            self._at += BLOCK
            if block == _ZEROS:
                break
            self._is_between_members = False
            fields = parse_fields(block)
            size, kind = parse_number(fields[2]), fields[5]
            if kind in _EXTENDED:
                yield from self._take_extended(kind, size)
                skip = 0
            elif kind == b"S" or (self._records and self._is_sparse()):
                skip = yield from self._take_sparse(block, fields, size)
            else:
                skip = self._take(fields, size)
        if self._extended:
            raise ValueError("an extended header without a member")
        self._is_between_members = True
        if (yield 0, BLOCK) != _ZEROS:
            raise ValueError("one block of zeros, and then more")

    def _take(
        self, fields: Fields, size: int, extents: Sequence[Extent] = (), real_size: int = -1
    ) -> int:
        """Emit a member; returns the length of its contents in the archive.

        Args:
            fields: The header.
            size: What the archive has of the contents, by the header.
            extents: Of a sparse file.
            real_size: Of a sparse file, with its holes.
        """
        kind, owner = fields[5], fields[1]
        raw = parse_name(fields)
        mode, uid, gid = self._owners.get(owner) or self._remember(owner)
        seconds = parse_number(fields[3])
        mtime_ns = max(-_SECONDS_MAX, min(_SECONDS_MAX, seconds)) * _SECOND_NS
        records, xattrs = _NO_RECORDS, NO_XATTRS
        if self._extended or self._global:
            records = {**self._global, **self._records}
            raw = records.get(b"path") or raw
            size, uid, gid, mtime_ns = _override(records, size, uid, gid, mtime_ns)
            xattrs = pax.parse_xattrs(records)
        flags = HAS_XATTRS if xattrs else 0
        skip, rdev, target = 0, 0, b""
        if kind in _REGULAR:
            skip, type_bits = checked_size(size), S_IFREG
            if real_size >= 0:
                size, flags = real_size, flags | SPARSE
            if raw[-1:] == b"/":  # how v7 marks a directory
                size, type_bits = 0, S_IFDIR
        elif kind == b"V":  # GNU's volume label names the archive, no object
            return 0
        else:
            type_bits, rdev, target = _parse_special(fields, records)
            size = len(target)
            flags |= HARD_LINK if kind == b"1" else 0
        self._members += 1
        path, mode = clean_path(raw), type_bits | mode
        if records is not _NO_RECORDS:
            self._records, self._pairs, self._extended = {}, [], 0
        head = (self._members, path, mode, uid, gid, size, mtime_ns, rdev, self._at)
        self._emit(Entry(*head, target, flags), xattrs, extents)
        return skip + -skip % BLOCK

    def _remember(self, owner: bytes) -> tuple[int, int, int]:
        """Parse three fields that are the same for most members, once."""
        if len(self._owners) >= _OWNERS_KEPT:
            self._owners.clear()
        parsed = self._owners[owner] = parse_owner(owner)
        return parsed

    def _take_extended(self, kind: bytes, size: int) -> _Steps:
        """Read what describes the next member (x, L, K) or all that follow (g)."""
        # Before a byte of it is read: an archive may claim any size.
        if not 0 <= size <= EXTENDED_MAX - self._extended - BLOCK:
            raise ValueError(f"an extended header of {size} bytes (more than 1 MiB in all)")
        padded = size + -size % BLOCK
        content = (yield 0, padded)[:size] if size else b""
        self._at += padded
        if kind == b"g":
            self._global.update(pax.parse_records(content))
            if sum(len(key) + len(value) for key, value in self._global.items()) > EXTENDED_MAX:
                raise ValueError("global extended headers of more than 1 MiB in all")
            return
        self._extended += padded + BLOCK
        if kind == b"L":
            self._records[b"path"] = until_nul(content)
        elif kind == b"K":
            self._records[b"linkpath"] = until_nul(content)
        else:
            records = pax.parse_records(content)
            # Format 0.0 repeats two keys, of which a dict would keep the last.
            keys = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
            self._pairs += [pax.parse_number(value) for key, value in records if key in keys]
            self._records.update(records)

    def _is_sparse(self) -> bool:
        records = self._records
        return bool(self._pairs) or b"GNU.sparse.map" in records or b"GNU.sparse.major" in records

    def _take_sparse(self, block: bytes, fields: Fields, size: int) -> _SkipSteps:
        """Read a sparse file's map, wherever its format has it, and emit the file."""
        records, map_size = self._records, 0
        if records.get(b"size"):
            size = pax.parse_number(records[b"size"])
        if fields[5] == b"S":
            pairs, real_size = yield from self._old_map(block)
        else:
            pairs, real_size = (
                self._pairs,
                pax.parse_number(
                    records.get(b"GNU.sparse.realsize") or records.get(b"GNU.sparse.size") or b""
                ),
            )
            if b"GNU.sparse.map" in records:
                pairs = sparse.parse_map_record(records[b"GNU.sparse.map"])
            elif b"GNU.sparse.major" in records:
                pairs, map_size = yield from self._map_in_contents(size)
        stored = checked_size(size) - map_size
        pieces = sparse.extents(pairs, checked_size(real_size), stored, self._at)
        if records.get(b"GNU.sparse.name"):
            records[b"path"] = records[b"GNU.sparse.name"]
        self._take(fields, size, pieces, real_size)
        return stored + -stored % BLOCK

    def _old_map(self, block: bytes) -> _MapSteps:
        """Read the map of the old GNU format: in the header, and in blocks after it."""
        real_size = parse_number(block[483:495])
        raw, is_extended = block[386:482], block[482]
        while is_extended:
            if len(raw) > EXTENDED_MAX:
                raise ValueError("a sparse map of more than 1 MiB")
            block = yield 0, BLOCK
            self._at += BLOCK
            raw, is_extended = raw + block[:504], block[504]
        pairs = []
        for offset, length in struct.iter_unpack("12s12s", raw):
            if length[0] == 0:
                break
            pairs += [parse_number(offset), parse_number(length)]
        return pairs, real_size

    def _map_in_contents(self, size: int) -> _MapSteps:
        """Read the map of format 1.0: the first blocks of the contents."""
        version = (self._records[b"GNU.sparse.major"], self._records.get(b"GNU.sparse.minor"))
        if version != (b"1", b"0"):
            raise ValueError("a sparse file of an unknown format")
        blocks, map_size, is_open = sparse.MapBlocks(), 0, True
        while is_open:
            if map_size + BLOCK > min(size, EXTENDED_MAX):
                raise ValueError("a sparse map that does not end")
            block = yield 0, BLOCK
            self._at, map_size = self._at + BLOCK, map_size + BLOCK
            is_open = blocks.feed(block)
        return blocks.pairs, map_size


def _parse_special(fields: Fields, records: Mapping[bytes, bytes]) -> tuple[int, int, bytes]:
    """Return type bits, device number and target of a member that has no contents.

    A hard link's type is its target's, and is not known here: it passes for a regular file.
    """
    kind = fields[5]
    if kind == b"1":
        target = clean_path(records.get(b"linkpath") or until_nul(fields[6]))
        return S_IFREG, 0, checked_target(target)
    type_bits = _SPECIAL.get(kind)
    if type_bits is None:
        raise ValueError(f"a member of the unknown type {kind!r}")
    if kind == b"2":
        return type_bits, 0, checked_target(records.get(b"linkpath") or until_nul(fields[6]))
    if kind in (b"3", b"4"):
        return type_bits, parse_device(fields[8], fields[9]), b""
    return type_bits, 0, b""


def _override(
    records: Mapping[bytes, bytes], size: int, uid: int, gid: int, mtime_ns: int
) -> tuple[int, int, int, int]:
    """Return the numbers as the extended header has them; an empty record leaves the header's."""
    if records.get(b"size"):
        size = pax.parse_number(records[b"size"])
    if records.get(b"uid"):
        uid = checked_id(pax.parse_number(records[b"uid"]))
    if records.get(b"gid"):
        gid = checked_id(pax.parse_number(records[b"gid"]))
    if records.get(b"mtime"):
        mtime_ns = pax.parse_time_ns(records[b"mtime"])
    return size, uid, gid, mtime_ns
