"""Directories of a merged tree as the kernel is given them, packed when the tree is built.

A tree's directories never change, so the answers to READDIRPLUS can be made once, for good: the
entries of each directory, with names and attributes, in the form of the protocol, in chunks. To
list one costs a query and no work for each entry (measured: 7 µs an entry when it was made of
rows). An entry's position is its place by name, counted from 1; the two dots come last.

Owners are packed as the image has them. A mount that shows some of them as others repacks the
chunks that it gives (`repacked`).
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from . import wire

# A chunk fits into what getdents(2) of the C libraries asks for at once, 32 KiB.
_CHUNK_BYTES = 32_000
_PLACE_BITS = 32
_OBJECT = struct.Struct("=Q92xII")  # nodeid, mode and nlink in fuse_entry_out
_KIND = 0o170000


class Chunk(NamedTuple):
    """A run of entries of one directory.

    Attributes:
        directory: Its number.
        first: Position before the first entry.
        number: How many there are.
        is_last: There are none behind it.
        entries: fuse_direntplus, one after the other.
    """

    directory: int
    first: int
    number: int
    is_last: bool
    entries: bytes

    @property
    def place(self) -> int:
        """Where the chunk stands among all chunks of a tree."""
        return place(self.directory, self.first)

    def holds(self, position: int) -> bool:
        """Return whether what is behind a position is here, or nowhere."""
        behind = position - self.first
        return behind >= 0 and (behind < self.number or self.is_last)


Named = tuple[bytes, wire.Attributes]
"""What is packed of one entry: its name, and the attributes of its object."""


def place(directory: int, position: int) -> int:
    """Return a key by which the chunk of a position is the last one that is not behind it."""
    return directory << _PLACE_BITS | min(position, (1 << _PLACE_BITS) - 1)


def chunk_at(key: int, number: int, is_last: int, entries: bytes) -> Chunk:
    """Return the chunk that was kept under a key."""
    first = key & (1 << _PLACE_BITS) - 1
    return Chunk(key >> _PLACE_BITS, first, number, bool(is_last), entries)


def pack(directory: int, parent: int, children: Iterable[Named]) -> Iterator[Chunk]:
    """Yield a directory's chunks.

    Args:
        directory: Its number.
        parent: The number of the directory that it lies in.
        children: Sorted by name, without the two dots.
    """
    pieces: list[bytes] = []
    size = first = position = 0

    def packed() -> Iterator[bytes]:
        for name, fields in children:
            yield wire.named_entry(fields[0], fields, position + 1, name)
        yield wire.dots(directory, position + 1, b".")
        yield wire.dots(parent, position + 1, b"..")

    for position, piece in enumerate(packed(), start=1):
        if size + len(piece) > _CHUNK_BYTES:
            yield Chunk(directory, first, len(pieces), is_last=False, entries=b"".join(pieces))
            pieces, size, first = [], 0, position - 1
        pieces.append(piece)
        size += len(piece)
    yield Chunk(directory, first, len(pieces), is_last=True, entries=b"".join(pieces))


def part(chunk: Chunk, start: int, size: int) -> "bytes | memoryview":
    """Return the entries from a position on that fit into a size; none behind the last one."""
    skipped = start - chunk.first
    if skipped >= chunk.number:
        return b""
    if skipped == 0 and len(chunk.entries) <= size:
        return chunk.entries
    view = memoryview(chunk.entries)
    begin = end = 0
    for number in range(chunk.number):
        following = end + wire.length_at(view, end)
        if number < skipped:
            begin = following
        elif following - begin > size:
            break
        end = following
    return view[begin:end]


def numbers(entries: "bytes | memoryview") -> tuple[Sequence[int], bool]:
    """Return the objects whose attributes these entries tell, and whether any has several names.

    The dots tell none. Numbers in a row, as a directory's mostly are, come as a range.
    """
    found = []
    has_hard_links = False
    at = 0
    while at < len(entries):
        ino, mode, nlink = _OBJECT.unpack_from(entries, at)
        if ino:
            found.append(ino)
            if nlink > 1 and mode & _KIND != wire.DIRECTORY:
                has_hard_links = True
        at += wire.length_at(entries, at)
    if found and found == [*range(found[0], found[0] + len(found))]:
        return range(found[0], found[0] + len(found)), has_hard_links
    return found, has_hard_links


class Listed:
    """A chunk, and what it tells."""

    __slots__ = ("_numbers", "chunk")

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self._numbers: tuple[Sequence[int], bool] | None = None

    def numbers(self) -> tuple[Sequence[int], bool]:
        """Return what the function of this name does for all of it."""
        if self._numbers is None:
            self._numbers = numbers(self.chunk.entries)
        return self._numbers


def hard_linked(entries: "bytes | memoryview") -> Iterator[tuple[int, int, bytes]]:
    """Yield offset, number and name of the entries of files that have several names."""
    at = 0
    while at < len(entries):
        ino, mode, nlink = _OBJECT.unpack_from(entries, at)
        if ino and nlink > 1 and mode & _KIND != wire.DIRECTORY:
            yield at, ino, wire.name_at(entries, at)
        at += wire.length_at(entries, at)


def repacked(chunk: Chunk, entry: Callable[[bytes], bytes]) -> Chunk:
    """Return a chunk with other answers to look-ups: *entry* makes them of the packed ones."""
    entries = memoryview(chunk.entries)
    pieces: list[bytes | memoryview] = []
    at = 0
    while at < len(entries):
        following = at + wire.length_at(entries, at)
        (ino,) = wire.NUMBER.unpack_from(entries, at)
        head = bytes(entries[at : at + wire.ENTRY.size])
        pieces += [entry(head) if ino else head, entries[at + wire.ENTRY.size : following]]
        at = following
    return chunk._replace(entries=b"".join(pieces))
