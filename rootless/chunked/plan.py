"""Where the contents of a layer that has a TOC are to lie once they are fetched.

A layer that is not a tar needs an address space all the same: an index entry says at which offset
its file's contents begin. Each file lies there in one piece, the files in the order of the tar.
Large ones begin on a page, so that they can be mapped; small ones are packed behind each other.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rootless.chunked.parse import LANDMARKS
from rootless.chunked.toc import Chunk, EntryType, Toc, TocEntry
from rootless.errors import IntegrityError
from rootless.image.layers import HARD_LINK, HAS_XATTRS, Entry, parse_whiteout

PAGE = 4096
_LARGE = 64 << 10
_TYPE_BITS = {
    EntryType.DIRECTORY: stat.S_IFDIR,
    EntryType.FILE: stat.S_IFREG,
    EntryType.SYMLINK: stat.S_IFLNK,
    EntryType.HARD_LINK: stat.S_IFREG,
    EntryType.CHARACTER_DEVICE: stat.S_IFCHR,
    EntryType.BLOCK_DEVICE: stat.S_IFBLK,
    EntryType.FIFO: stat.S_IFIFO,
}


class PlannedEntry(NamedTuple):
    """One member for the layer's index; whiteouts by their names, as in a tar.

    Attributes:
        entry: As the index has it; its offset is one of the address space.
        xattrs: Its extended attributes.
    """

    entry: Entry
    xattrs: Mapping[bytes, bytes]


class PlacedChunk(NamedTuple):
    """A chunk and its place in the address space.

    Attributes:
        offset: Where it begins there.
        chunk: The chunk; one of zeros (`Codec.ZEROS`) need not be fetched.
    """

    offset: int
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class LazyPlan:
    """What `plan_layer` made of a TOC.

    Attributes:
        entries: For the index, in the order of the tar.
        chunks: In the order of their offsets, which do not overlap but may leave gaps.
        size: Of the address space.
    """

    entries: tuple[PlannedEntry, ...]
    chunks: tuple[PlacedChunk, ...]
    size: int


def plan_layer(toc: Toc, what: str = "layer") -> LazyPlan:
    """Return where the contents of each file go, and what the index says.

    The landmarks of eStargz, which are no files of the image, are left out; the stargz snapshotter
    writes them into its zstd:chunked layers as well.

    Raises:
        IntegrityError: An entry is a whiteout of nothing, or lies below one.
    """
    entries: list[PlannedEntry] = []
    chunks: list[PlacedChunk] = []
    end = 0
    for each in toc.entries:
        if each.path in LANDMARKS:
            continue
        _check_name(each.path, what)
        offset = end + (-end % PAGE if each.size >= _LARGE else 0) if each.size else 0
        chunks += [PlacedChunk(offset + chunk.file_offset, chunk) for chunk in each.chunks]
        end = max(end, offset + each.size)
        entries.append(PlannedEntry(_index_entry(each, len(entries) + 1, offset), each.xattrs))
    return LazyPlan(tuple(entries), tuple(chunks), end)


def _index_entry(each: TocEntry, number: int, offset: int) -> Entry:
    mode = _TYPE_BITS[each.type] | each.mode
    if each.type is EntryType.SYMLINK:
        mode |= 0o777  # Linux shows every one so, whatever an archive says of it
    flags = HARD_LINK if each.type is EntryType.HARD_LINK else 0
    flags |= HAS_XATTRS if each.xattrs else 0
    return Entry(
        number=number,
        path=each.path,
        mode=mode,
        uid=each.uid,
        gid=each.gid,
        size=each.size or len(each.target),
        mtime_ns=each.mtime_ns,
        rdev=each.rdev,
        offset=offset,
        target=each.target,
        flags=flags,
    )


def _check_name(path: bytes, what: str) -> None:
    try:
        parse_whiteout(path)
    except ValueError as error:
        raise IntegrityError(f"table of contents has {error}", f"{what}, {path!r}") from None
