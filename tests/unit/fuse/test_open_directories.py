"""Reading directories while they change."""

from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from overlays import Core

from fuse.attributes import AttributeMaker
from fuse.create import NewObject, make_special
from fuse.open_directories import OpenDirectories
from fuse.ownership import Squash
from fuse.remove import unlink


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A directory of five files below."""
    layer = images.LayerBuilder().directory("d")
    for name in "abcde":
        layer.file(f"d/{name}", name.encode())
    with Core(tmp_path, [layer]) as made:
        yield made


@pytest.fixture
def directories(core: Core) -> OpenDirectories:
    """Open directories of that overlay."""
    owners = Squash((), 0)
    return OpenDirectories(core.overlay, AttributeMaker(owners, owners))


class Reader:
    """What the kernel does with one buffer: takes a few entries, then says that it is full."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: list[tuple[bytes, int]] = []

    def __call__(self, name: bytes, entry: object, position: int) -> bool:
        """Take an entry if there is room."""
        del entry
        if len(self.taken) == self.room:
            return False
        self.taken.append((name, position))
        return True

    @property
    def names(self) -> list[bytes]:
        """The names that were taken."""
        return [name for name, _ in self.taken]


def test_all_entries_then_the_dots(core: Core, directories: OpenDirectories) -> None:
    """Every name once, each followed by its own position, and the dots at the end."""
    number = directories.open(core.node("d"))
    reader = Reader(100)
    directories.read(number, 0, reader)
    assert reader.names == [b"a", b"b", b"c", b"d", b"e", b".", b".."]
    assert [position for _, position in reader.taken] == [1, 2, 3, 4, 5, 6, 7]
    directories.close(number)
    assert len(directories) == 0


def test_positions_stay_good(core: Core, directories: OpenDirectories) -> None:
    """What is removed between two reads is left out, what is new shows in the next pass only."""
    number = directories.open(core.node("d"))
    first = Reader(2)
    directories.read(number, 0, first)
    unlink(core.overlay, core.link("d/a"))
    unlink(core.overlay, core.link("d/c"))
    make_special(core.overlay, core.link("d/0"), NewObject(0o644, 0, 0))
    rest = Reader(100)
    directories.read(number, first.taken[-1][1], rest)
    assert rest.names == [b"d", b"e", b".", b".."]
    again = Reader(100)
    directories.read(number, 0, again)
    assert again.names == [b"0", b"b", b"d", b"e", b".", b".."]


def test_only_what_was_given_counts(core: Core, directories: OpenDirectories) -> None:
    """An entry that did not fit is no lookup, and its node is not kept."""
    number = directories.open(core.node("d"))
    known = len(core.overlay.nodes)
    directories.read(number, 0, Reader(2))
    assert len(core.overlay.nodes) == known + 2


def test_a_handle_that_is_none(directories: OpenDirectories) -> None:
    """A number that no open directory has is EBADF."""
    with pytest.raises(OSError, match="Bad file descriptor"):
        directories.read(7, 0, Reader(1))
