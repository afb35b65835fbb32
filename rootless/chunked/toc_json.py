"""A table of contents as JSON: the entries as both formats have them, in the order of the tar."""

import base64
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from typing import Any

from rootless.chunked.tar_parts import Part
from rootless.chunked.toc import EntryType
from rootless.image.layers import HARD_LINK

Fields = dict[str, Any]

_TYPES = {
    stat.S_IFDIR: EntryType.DIRECTORY,
    stat.S_IFREG: EntryType.FILE,
    stat.S_IFLNK: EntryType.SYMLINK,
    stat.S_IFCHR: EntryType.CHARACTER_DEVICE,
    stat.S_IFBLK: EntryType.BLOCK_DEVICE,
    stat.S_IFIFO: EntryType.FIFO,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entry_fields(part: Part) -> Fields:
    """Return the entry of a member, still without its chunks."""
    entry = part.entry
    kind = _TYPES[stat.S_IFMT(entry.mode)]
    if entry.flags & HARD_LINK:
        kind = EntryType.HARD_LINK
    name = _shown(entry.path)
    fields: Fields = {"name": name or "./", "type": kind.value}
    if kind is EntryType.DIRECTORY and name:
        fields["name"] = name + "/"
    if kind is EntryType.FILE:
        fields["size"] = entry.size
    fields["modtime"] = _time(entry.mtime_ns)
    if entry.target:
        fields["linkName"] = _shown(entry.target)
    fields |= {"mode": stat.S_IMODE(entry.mode), "uid": entry.uid, "gid": entry.gid}
    if kind in (EntryType.CHARACTER_DEVICE, EntryType.BLOCK_DEVICE):
        fields |= {"devMajor": os.major(entry.rdev), "devMinor": os.minor(entry.rdev)}
    if part.xattrs:
        fields["xattrs"] = {
            _shown(key): base64.b64encode(value).decode()
            for key, value in sorted(part.xattrs.items())
        }
    return fields


def toc_bytes(entries: list[Fields]) -> bytes:
    """Return the document.

    All but ASCII is escaped: the halves of characters that stand for bytes of a name that is no
    text would not survive otherwise.
    """
    return json.dumps({"version": 1, "entries": entries}, separators=(",", ":")).encode()


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _time(time_ns: int) -> str:
    """Return a time in the form of RFC 3339; 64 bits of nanoseconds end with the year 2262."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    moment = _EPOCH + timedelta(seconds=seconds)
    fraction = f".{nanoseconds:09}".rstrip("0") if nanoseconds else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
