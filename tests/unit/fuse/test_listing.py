"""Directories, packed for the kernel."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuse import listing, wire
from fuse.entry import Inode
from fuse.listing import Chunk, Named

DIRECTORY, PARENT = 5, 3
_DOTS = 2


def inode(ino: int, mode: int = 0o100644, nlink: int = 1) -> Inode:
    """Return an object."""
    return Inode(ino, mode, nlink, 0, 0, 0, 0, 0, 0, 0, b"", sparse=False)


def child(name: bytes, ino: int, mode: int = 0o100644, nlink: int = 1) -> Named:
    """Return what is packed of an entry."""
    return name, wire.lower_attributes(inode(ino, mode, nlink), 0, 0, nlink)


def children(names: Sequence[bytes]) -> list[Named]:
    """Return files of these names, numbered in a row."""
    return [child(name, number) for number, name in enumerate(names, start=10)]


def packed(entries: Sequence[Named]) -> list[Chunk]:
    """Return a directory's chunks."""
    return list(listing.pack(DIRECTORY, PARENT, entries))


def unpacked(entries: bytes | memoryview) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, number for the kernel and position of each packed entry."""
    at = 0
    while at < len(entries):
        (nodeid,) = wire.NUMBER.unpack_from(entries, at)
        _, position, _, _ = wire.DIRENT.unpack_from(entries, at + wire.ENTRY.size)
        yield wire.name_at(entries, at), nodeid, position
        at += wire.length_at(entries, at)


def chunk_of(chunks: Sequence[Chunk], position: int) -> Chunk:
    """Return the last chunk that does not begin behind a position, as the tree finds it."""
    return [each for each in chunks if each.place <= listing.place(DIRECTORY, position)][-1]


def read(chunks: Sequence[Chunk], size: int) -> list[tuple[bytes, int, int]]:
    """Read a whole directory in pieces of this size, each from where the last one ended."""
    found: list[tuple[bytes, int, int]] = []
    position = 0
    while True:
        chunk = chunk_of(chunks, position)
        piece = listing.part(chunk, position, size)
        assert len(piece) <= size
        if not piece:
            assert chunk.is_last
            return found
        found += unpacked(piece)
        position = found[-1][2]


NAMES = st.binary(min_size=1, max_size=255).map(lambda raw: raw.replace(b"\0", b"x"))
LONGEST = wire.named_length(b"n" * 255)


@given(names=st.sets(NAMES, max_size=60), size=st.integers(LONGEST, 20_000), data=st.data())
def test_every_entry_once_in_pieces_of_any_size(
    names: set[bytes], size: int, data: st.DataObject
) -> None:
    """From any position on come the entries behind it, each once and in order, the dots last."""
    expected = [*sorted(names), b".", b".."]
    chunks = packed(children(sorted(names)))
    found = read(chunks, size)
    assert [name for name, _, _ in found] == expected
    assert [position for _, _, position in found] == list(range(1, len(expected) + 1))
    start = data.draw(st.integers(0, len(expected)))
    piece = listing.part(chunk_of(chunks, start), start, size)
    following = [name for name, _, _ in unpacked(piece)]
    assert following == expected[start : start + len(following)]
    assert following or start == len(expected)


@pytest.mark.parametrize("length", [1, 8, 255])
def test_one_entry_at_a_time(length: int) -> None:
    """A size that holds one entry gives one, the longest name included."""
    names = [b"%0*d" % (length, number) for number in range(9)]
    chunks = packed(children(names))
    assert len(read(chunks, max(wire.named_length(names[0]), wire.named_length(b"..")))) == 11


@pytest.fixture(scope="module")
def many() -> list[Chunk]:
    """A directory of thousands of entries."""
    return packed(children([b"file-%05d" % number for number in range(5000)]))


@pytest.mark.parametrize("size", [4096, 32_768, 131_072])
def test_thousands_of_entries(many: list[Chunk], size: int) -> None:
    """A large directory is several chunks, each within the bound, one behind the other."""
    assert len(many) > 10
    assert [each.is_last for each in many] == [False] * (len(many) - 1) + [True]
    assert all(len(each.entries) <= 32_000 for each in many)
    assert all(before.first + before.number == after.first for before, after in pairwise(many))
    found = read(many, size)
    assert [position for _, _, position in found] == list(range(1, 5003))
    assert [ino for _, ino, _ in found] == [*range(10, 5010), 0, 0]


def test_a_chunk_knows_what_it_holds(many: list[Chunk]) -> None:
    """What is behind a position lies in one chunk; behind the last entry there is nothing."""
    for chunk in many:
        assert chunk.holds(chunk.first)
        assert chunk.holds(chunk.first + chunk.number - 1)
        assert chunk.holds(chunk.first + chunk.number) == chunk.is_last
        assert not chunk.holds(chunk.first - 1)
    assert many[-1].holds(2**40)
    assert not listing.part(many[-1], 2**40, 4096)


def test_an_empty_directory() -> None:
    """It has the two dots, which say its number and its parent's."""
    (chunk,) = packed([])
    assert (chunk.first, chunk.number, chunk.is_last) == (0, _DOTS, True)
    assert list(unpacked(chunk.entries)) == [(b".", 0, 1), (b"..", 0, 2)]
    view = memoryview(chunk.entries)
    second = wire.length_at(view, 0)
    inos = [wire.DIRENT.unpack_from(view, at + wire.ENTRY.size)[0] for at in (0, second)]
    assert inos == [DIRECTORY, PARENT]


def test_a_size_that_holds_nothing() -> None:
    """Where not even one entry fits there is none; never a part of one."""
    (chunk,) = packed(children([b"name"]))
    assert not listing.part(chunk, 0, wire.named_length(b"name") - 1)


def test_a_chunk_is_found_again_by_its_key(many: list[Chunk]) -> None:
    """What is kept under a key is the chunk itself, directory and position included."""
    for chunk in many:
        again = listing.chunk_at(chunk.place, chunk.number, int(chunk.is_last), chunk.entries)
        assert again == chunk


def test_keys_are_in_order() -> None:
    """All positions of a directory come before those of the next."""
    assert listing.place(1, 2**32 - 1) < listing.place(2, 0) < listing.place(2, 1)


MIXED = [
    child(b"alone", 10),
    child(b"directory", 11, 0o040755, nlink=5),
    child(b"linked", 12, nlink=2),
    child(b"socket", 13, 0o140755, nlink=2),
    child(b"zebra", 14),
]


def test_numbers() -> None:
    """The objects that are told of; a directory's links are not those of a file, dots are none."""
    (chunk,) = packed(MIXED)
    assert listing.numbers(memoryview(chunk.entries)) == (range(10, 15), True)
    assert listing.Listed(chunk).numbers() == (range(10, 15), True)
    (chunk,) = packed(MIXED[:2])
    assert listing.numbers(chunk.entries) == (range(10, 12), False)
    (chunk,) = packed([MIXED[0], MIXED[-1]])
    assert listing.numbers(chunk.entries) == ([10, 14], False)
    assert listing.numbers(b"") == ([], False)


def test_hard_linked() -> None:
    """Files with several names, with number, name and where their entries begin."""
    (chunk,) = packed(MIXED)
    view = memoryview(chunk.entries)
    found = list(listing.hard_linked(view))
    assert [(ino, name) for _, ino, name in found] == [(12, b"linked"), (13, b"socket")]
    for at, ino, name in found:
        assert wire.NUMBER.unpack_from(view, at) == (ino,)
        assert wire.name_at(view, at) == name


def test_repacked() -> None:
    """Answers to look-ups are replaced, the dots' excepted; all else stays."""
    (chunk,) = packed(MIXED)
    replaced: list[bytes] = []

    def replace(head: bytes) -> bytes:
        replaced.append(head)
        fields = list(wire.ENTRY.unpack(head))
        fields[17] = 4711  # uid
        return wire.ENTRY.pack(*fields)

    again = listing.repacked(chunk, replace)
    assert [wire.NUMBER.unpack_from(head)[0] for head in replaced] == [10, 11, 12, 13, 14]
    assert list(unpacked(again.entries)) == list(unpacked(chunk.entries))
    assert again._replace(entries=b"") == chunk._replace(entries=b"")
    assert listing.repacked(again, lambda head: replaced.pop(0)) == chunk
