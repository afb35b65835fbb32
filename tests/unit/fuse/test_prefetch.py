"""What is pushed, and what is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import images
import pytest
from trees import build_tree, tar_path

from fuse import prefetch
from fuse.contents import TarContents
from fuse.prefetch import Prefetch
from fuse.readdir import ListingCache
from fuse.tree import ROOT_INO, Tree

COUNT = 200


def content(number: int) -> bytes:
    """Return what a file holds: all sizes from nothing on."""
    return b"%d," % number * (number % 7)


class Bench:
    """A prefetch over a folder of files, with what it pushed."""

    def __init__(self, folder: Path, layer: images.LayerBuilder) -> None:
        self.tree = Tree.open(build_tree(folder, [layer]))
        self.lower = TarContents([tar_path(folder, 0)])
        listings: ListingCache[Any] = ListingCache(self.tree, lambda inode: inode)
        self.directory = listings.listing(ROOT_INO).directories[0]
        self.inos = list(listings.listing(self.directory).inodes)
        self.pushed: dict[int, bytes] = {}
        self.unknown: set[int] = set()
        size = self.tree.statistics.inodes
        self.prefetch = Prefetch(listings, self.lower, self.store, size)

    def store(self, ino: int, offset: int, contents: bytes) -> None:
        """Stand for notify_store."""
        assert offset == 0
        assert ino not in self.pushed
        if ino in self.unknown:
            raise FileNotFoundError
        self.pushed[ino] = bytes(contents)

    def open(self, *numbers: int) -> None:
        """Open files by their place in the directory, and work until there is none."""
        for number in numbers:
            self.prefetch.opened(self.inos[number])
            while self.prefetch.step():
                pass

    def close(self) -> None:
        """Close the files."""
        self.tree.close()
        self.lower.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A folder of many small files."""
    layer = images.LayerBuilder().directory("d")
    for number in range(COUNT):
        layer.file(f"d/f{number:03}", content(number))
    made = Bench(tmp_path / "tree", layer)
    yield made
    made.close()


def test_random_access_pushes_nothing(bench: Bench) -> None:
    """Opens in no order, and the first ones in order, start nothing."""
    bench.open(150, 3, 99, 20, 180, 5)
    bench.open(50, 51)
    assert bench.pushed == {}


def test_pushes_what_comes_next(bench: Bench) -> None:
    """After a few opens in order the next files are pushed, each with its own contents, once."""
    bench.open(0, 1, 2)
    assert bench.pushed
    for number in range(3, COUNT):
        bench.open(number)
    numbers = {ino: number for number, ino in enumerate(bench.inos)}
    assert all(held == content(numbers[ino]) for ino, held in bench.pushed.items())
    expected = {ino for ino, number in numbers.items() if number > 2 and content(number)}
    assert set(bench.pushed) == expected
    assert bench.prefetch.files_pushed == len(expected)


def test_stays_within_its_window(bench: Bench) -> None:
    """No more than the window's files lie ahead."""
    bench.open(0, 1, 2)
    assert max(bench.pushed) <= bench.inos[2] + prefetch._WINDOW_FILES


def test_skips_what_was_opened(bench: Bench) -> None:
    """A file that anybody has opened is never pushed: its pages may be locked by a read."""
    bench.open(5, 0, 1, 2, 3)
    assert bench.inos[5] not in bench.pushed
    assert bench.inos[6] in bench.pushed


def test_a_file_that_the_kernel_has_forgotten(bench: Bench) -> None:
    """ENOENT from the kernel is no error."""
    bench.unknown.add(bench.inos[4])
    bench.open(0, 1, 2)
    assert bench.inos[4] not in bench.pushed
    assert bench.inos[5] in bench.pushed


def test_bounds_bytes_and_leaves_big_files(tmp_path: Path) -> None:
    """Big files are left alone, and the window ends at its bytes."""
    layer = images.LayerBuilder().directory("d")
    for number in range(40):
        big = number == 10
        layer.file(f"d/f{number:03}", b"x" * (prefetch._FILE_MAX + big))
    bench = Bench(tmp_path / "tree", layer)
    bench.open(0, 1, 2)
    total = sum(map(len, bench.pushed.values()))
    assert 0 < total <= prefetch._WINDOW_BYTES
    for number in range(3, 20):
        bench.open(number)
        ahead = sum(len(held) for ino, held in bench.pushed.items() if ino > bench.inos[number])
        assert ahead <= prefetch._WINDOW_BYTES
    assert bench.inos[10] not in bench.pushed
    assert bench.inos[11] in bench.pushed
    bench.close()


def test_a_damaged_layer_is_left_to_the_read(bench: Bench, tmp_path: Path) -> None:
    """A tar that cannot be read makes no error here."""
    bench.lower.close()
    bench.lower = TarContents([tar_path(tmp_path / "tree", 0)])

    class Broken:
        def read_raw(self, layer: int, offset: int, size: int) -> bytes:
            raise OSError(5, "broken")

    bench.prefetch._reader = Broken()
    bench.open(0, 1, 2, 3)
    assert bench.pushed == {}
