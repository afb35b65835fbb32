"""What is pushed, and what is not."""

from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from trees import build_tree, tar_path

from fuse import prefetch
from fuse.contents import TarContents
from fuse.prefetch import Prefetch
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
        (_, self.directory), *_ = self.tree.children(ROOT_INO)
        self.files = [inode for _, inode in self.tree.children(self.directory.ino)]
        self.inos = [inode.ino for inode in self.files]
        self.pushed: dict[int, bytes] = {}
        self.unknown: set[int] = set()
        size = self.tree.statistics.inodes
        self.prefetch = Prefetch(self.tree, self.lower, self.store, size)

    def store(self, ino: int, offset: int, contents: bytes | memoryview) -> None:
        """Stand for the kernel's page cache, which takes a file once."""
        assert offset == 0
        assert ino not in self.pushed
        if ino in self.unknown:
            raise FileNotFoundError
        self.pushed[ino] = bytes(contents)

    def open(self, *numbers: int) -> None:
        """Open files by their place in the directory, and work until there is none."""
        for number in numbers:
            self.prefetch.opened(self.files[number].ino, self.tree.inode)
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


def test_an_opened_file_is_pushed(bench: Bench) -> None:
    """A small file's contents are there before its first open is answered."""
    for number in (150, 3, 0):
        bench.prefetch.opened(bench.files[number].ino, bench.tree.inode)
    assert bench.pushed == {bench.inos[number]: content(number) for number in (150, 3)}


def test_random_access_pushes_nothing_ahead(bench: Bench) -> None:
    """Opens in no order, and the first ones in order, push what they open and no more."""
    numbers = (150, 3, 99, 20, 180, 5, 50, 51)
    bench.open(*numbers)
    assert set(bench.pushed) <= {bench.inos[number] for number in numbers}


def test_pushes_what_comes_next(bench: Bench) -> None:
    """After a few opens in order the next files are pushed, each with its own contents, once."""
    bench.open(1, 2, 3)
    assert max(bench.pushed) > bench.inos[3]
    for number in range(4, COUNT):
        bench.open(number)
    numbers = {ino: number for number, ino in enumerate(bench.inos)}
    assert all(held == content(numbers[ino]) for ino, held in bench.pushed.items())
    expected = {ino for ino, number in numbers.items() if content(number)}
    assert set(bench.pushed) == expected
    assert bench.prefetch.files_pushed == len(expected)


def test_opens_may_skip_a_few(bench: Bench) -> None:
    """Files that lie between those that are opened do not break the order."""
    bench.open(1, 5, 9)
    assert bench.inos[10] in bench.pushed


def test_leaving_the_order_stops_it(bench: Bench) -> None:
    """After an open somewhere else nothing is left to do."""
    for number in (1, 2, 3, 150):
        bench.prefetch.opened(bench.files[number].ino, bench.tree.inode)
    assert not bench.prefetch.step()


def test_stays_within_its_window(bench: Bench) -> None:
    """No more than the window's files lie ahead."""
    bench.open(1, 2, 3)
    assert max(bench.pushed) <= bench.inos[3] + prefetch._WINDOW_FILES


def test_a_slice_is_short(bench: Bench) -> None:
    """One step pushes a few files only, as a request may come meanwhile."""
    for number in (1, 2, 3):
        bench.prefetch.opened(bench.files[number].ino, bench.tree.inode)
    before = len(bench.pushed)
    assert bench.prefetch.step()
    assert 0 < len(bench.pushed) - before <= prefetch._SLICE_FILES


def test_skips_what_was_opened(bench: Bench) -> None:
    """A file that anybody has opened is never pushed again: its pages may be locked by a read."""
    bench.prefetch.keep_away(bench.inos[6])
    bench.open(8, 1, 2, 3, 4)
    assert bench.inos[6] not in bench.pushed
    assert bench.inos[9] in bench.pushed
    pushed = set(bench.pushed)
    for number in (6, 8, 9):
        bench.prefetch.opened(bench.files[number].ino, bench.tree.inode)
    assert set(bench.pushed) == pushed


def test_a_number_that_the_tree_lacks(bench: Bench) -> None:
    """An object of the upperdir is none of ours; what is opened must be known to somebody."""
    bench.prefetch.keep_away(10**6)
    with pytest.raises(KeyError):
        bench.prefetch.opened(10**6, bench.tree.inode)
    assert bench.pushed == {}


def test_a_file_that_the_kernel_has_forgotten(bench: Bench) -> None:
    """ENOENT from the kernel is no error; what follows is as unknown, until its turn has come."""
    bench.unknown.add(bench.inos[5])
    bench.open(1, 2, 3)
    assert bench.inos[4] in bench.pushed
    assert bench.inos[6] not in bench.pushed
    bench.open(4, 5)
    assert bench.inos[5] not in bench.pushed
    assert bench.inos[6] in bench.pushed


@pytest.mark.parametrize("kind", ["big", "sparse", "link"])
def test_what_is_never_pushed(bench: Bench, kind: str) -> None:
    """Big files have the kernel's read-ahead, sparse ones their holes, links no contents."""
    inode = bench.files[8]
    changed = {
        "big": inode._replace(size=prefetch._FILE_MAX + 1),
        "sparse": inode._replace(sparse=True),
        "link": inode._replace(mode=0o120777),
    }
    bench.prefetch.opened(changed[kind].ino, lambda _: changed[kind])
    assert bench.pushed == {}


def test_bounds_bytes(big: Bench) -> None:
    """The files ahead are a window's bytes at most, and some of the next file is among them."""
    for number in range(20):
        big.open(number)
        ahead = sum(len(held) for ino, held in big.pushed.items() if ino > big.inos[number])
        assert ahead <= prefetch._WINDOW_BYTES


def test_leaves_big_files(big: Bench) -> None:
    """A big file among the others is passed over."""
    big.open(*range(20))
    assert big.inos[10] not in big.pushed
    assert big.inos[11] in big.pushed


@pytest.fixture
def big(tmp_path: Path) -> Iterator[Bench]:
    """A folder of files just small enough, one of them too large."""
    layer = images.LayerBuilder().directory("d")
    for number in range(40):
        layer.file(f"d/f{number:03}", b"x" * (prefetch._FILE_MAX + (number == 10)))
    made = Bench(tmp_path / "tree", layer)
    yield made
    made.close()


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
