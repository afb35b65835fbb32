"""The members of an archive that holds an image: a pulling reader for few, large members.

For the outer tar of OCI and docker archives only; layers are read by `fuse.tar_reader`. Sources:
POSIX.1-2017 pax, GNU tar's long names. The archive is hostile until proven otherwise: extended
headers are bounded before they are read, names are compared and never used as paths.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from rootless.errors import IntegrityError

BLOCK = 512
_MAX_EXTENDED = 1 << 20
_MAX_MEMBERS = 100_000
_MAX_NAME = 4096  # no path is longer, and all names are held in memory
_NAMES = ("path", "linkpath")
_REGULAR = b"0\x007"
_LINKS = b"12"
_WITHOUT_CONTENT = b"123456"


@dataclass(frozen=True, slots=True)
class Member:
    """One member that matters: a file, or a link to another member.

    Attributes:
        name: Its name, without a leading `./`.
        offset: Where its content begins in the archive.
        size: Bytes of content.
        link: For a link, the name that it leads to as written; else empty.
        is_symlink: Whether the link is relative to the member's folder.
    """

    name: str
    offset: int
    size: int
    link: str = ""
    is_symlink: bool = False


class ArchiveInput(Protocol):
    """An archive read forwards."""

    def read_exactly(self, size: int) -> bytes:
        """Return *size* bytes, fewer only at the end."""

    def tell(self) -> int:
        """Return how far the reading has come."""

    def seek_forward(self, position: int) -> None:
        """Go on at *position*, at or after `tell()`."""


def members(archive: ArchiveInput, what: str) -> Iterator[Member]:
    """Yield the files and links of an archive; between two, the caller may read a file's content.

    Raises:
        IntegrityError: It is not a tar, is damaged or ends early.
    """
    own: dict[str, str] = {}
    shared: dict[str, str] = {}
    for count in range(_MAX_MEMBERS + 1):
        block = archive.read_exactly(BLOCK)
        if len(block) < BLOCK:
            # an archive may lack its end marker, but not break off inside a block or be empty
            if block or count == 0:
                raise _fault("ends early" if block else "is empty", archive, what)
            return
        if not any(block):
            return
        _check(block, archive, what)
        attributes = {**shared, **own}
        kind, size = block[156:157], _size(block, attributes, archive, what)
        content = archive.tell()
        if kind in b"xgLK" and kind:
            extended = _extended(archive, size, what)
            if kind in b"xg":
                (own if kind == b"x" else shared).update(_records(extended, archive, what))
            else:
                key = "path" if kind == b"L" else "linkpath"
                own[key] = _name(extended.partition(b"\0")[0], archive, what)
            continue
        member = _member(block, attributes, content, size)
        own = {}
        if member is not None:
            yield member
        blocks = 0 if kind in _WITHOUT_CONTENT else -(-size // BLOCK)
        archive.seek_forward(content + blocks * BLOCK)
    raise _fault(f"has more than {_MAX_MEMBERS} members", archive, what)


def _member(block: bytes, attributes: dict[str, str], offset: int, size: int) -> Member | None:
    kind = block[156:157]
    name = attributes.get("path") or _ustar_name(block)
    name = name.removeprefix("./")
    if kind in _LINKS:
        link = attributes.get("linkpath") or _text(block[157:257])
        return Member(name, offset, 0, link, is_symlink=kind == b"2")
    return Member(name, offset, size) if kind in _REGULAR else None


def _ustar_name(block: bytes) -> str:
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _check(block: bytes, archive: ArchiveInput, what: str) -> None:
    try:
        stored = int(block[148:156].strip(b" \0") or b"0", 8)
    except ValueError:
        stored = -1
    if stored != sum(block[:148]) + 8 * ord(" ") + sum(block[156:]):
        raise _fault("is not a tar archive, or is damaged", archive, what)


def _size(block: bytes, attributes: dict[str, str], archive: ArchiveInput, what: str) -> int:
    field = block[124:136]
    try:
        if attributes.get("size") and block[156:157] not in b"xgLK":
            text = attributes["size"]
            size = int(text) if text.isascii() and text.isdecimal() else -1
        elif field[0] & 0x80:
            size = int.from_bytes(field, "big") & ~(0x80 << 88)
        else:
            size = int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        size = -1
    if not 0 <= size < 1 << 62:
        raise _fault("has a member of impossible size", archive, what)
    return size


def _extended(archive: ArchiveInput, size: int, what: str) -> bytes:
    if size > _MAX_EXTENDED:
        raise _fault(f"has an extended header of {size} bytes", archive, what)
    content = archive.read_exactly(-(-size // BLOCK) * BLOCK)
    if len(content) < size:
        raise _fault("ends early", archive, what)
    return content[:size]


def _records(content: bytes, archive: ArchiveInput, what: str) -> dict[str, str]:
    r"""Read pax records: "LENGTH KEY=VALUE\n", the length counting itself.

    Only what is of use here is returned. An empty value is one: it takes back a global header's.
    """
    records: dict[str, str] = {}
    position = 0
    while position < len(content):
        # the length has few digits; a copy of all that follows for each record would take seconds
        length_text, _, _ = content[position : position + 9].partition(b" ")
        length = int(length_text) if length_text.isdigit() and len(length_text) < 9 else 0
        record = content[position + len(length_text) + 1 : position + length]
        position += length
        if not length or position > len(content) or record[-1:] != b"\n" or b"=" not in record:
            raise _fault("has a malformed extended header", archive, what)
        raw_key, _, value = record[:-1].partition(b"=")
        key = raw_key.decode("utf-8", "replace")
        if key in _NAMES:
            records[key] = _name(value, archive, what)
        elif key == "size":
            records[key] = value.decode("utf-8", "replace")
    return records


def _name(raw: bytes, archive: ArchiveInput, what: str) -> str:
    if len(raw) > _MAX_NAME:
        raise _fault(f"has a name of {len(raw)} bytes", archive, what)
    return _text(raw)


def _fault(text: str, archive: ArchiveInput, what: str) -> IntegrityError:
    return IntegrityError(f"archive {text}", f"{what}, at byte {archive.tell()}")
