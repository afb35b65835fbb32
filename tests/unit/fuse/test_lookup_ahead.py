"""Names that are read before they are asked for."""

from fuse.entry import Inode
from fuse.lookup_ahead import DIRECTORIES_KEPT, NAMES_MAX, RUN, LookupAhead


class Directories:
    """Directories of files whose numbers are their names; counts what is asked of it."""

    def __init__(self, sizes: dict[int, int]) -> None:
        self.sizes = sizes
        self.one = 0
        self.all: list[int] = []

    def inode(self, name: bytes) -> Inode:
        """Return a file's object."""
        return Inode(int(name), 0o100644, 1, 0, 0, 0, 0, 0, 0, 0, b"", sparse=False)

    def lookup(self, directory: int, name: bytes) -> Inode | None:
        """Find one name."""
        self.one += 1
        return self.inode(name) if int(name) < self.sizes[directory] else None

    def children(self, directory: int, number: int) -> list[tuple[bytes, Inode]]:
        """Return names, up to a number."""
        self.all.append(directory)
        names = [b"%d" % each for each in range(min(self.sizes[directory], number))]
        return [(name, self.inode(name)) for name in names]


def ahead(directories: Directories) -> LookupAhead:
    """Follow look-ups in them."""
    return LookupAhead(directories.lookup, directories.children)


def test_a_run_in_one_directory() -> None:
    """Some look-ups are answered one by one, the others from what was read then."""
    directories = Directories({7: 100})
    made = ahead(directories)
    for number in range(110):
        found = made.lookup(7, b"%d" % number)
        assert (None if found is None else found.ino) == (number if number < 100 else None)
    assert (directories.one, directories.all) == (RUN - 1, [7])


def test_here_and_there() -> None:
    """Nothing is read where directories take turns."""
    directories = Directories({1: 5, 2: 5})
    made = ahead(directories)
    for number in range(20):
        assert made.lookup(1 + number % 2, b"0") is not None
    assert directories.all == []


def test_a_large_directory() -> None:
    """It is tried once, and every name is looked for."""
    directories = Directories({1: NAMES_MAX + 1, 2: 1})
    made = ahead(directories)
    for _ in range(3):
        for _ in range(RUN + 1):
            assert made.lookup(1, b"%d" % NAMES_MAX) is not None
        assert made.lookup(2, b"1") is None
    assert directories.all == [1]


def test_only_a_few_directories_are_kept() -> None:
    """The one that was read first goes first."""
    count = DIRECTORIES_KEPT + 1
    directories = Directories(dict.fromkeys(range(1, count + 1), 1))
    made = ahead(directories)
    for directory in (*range(1, count + 1), 1):
        for _ in range(RUN):
            assert made.lookup(directory, b"0") is not None
    assert directories.all == [*range(1, count + 1), 1]
