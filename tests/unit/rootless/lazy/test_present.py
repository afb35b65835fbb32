"""`rootless.lazy.present`: marks that every process sees."""

import mmap
from pathlib import Path

from rootless.lazy import present
from rootless.lazy.present import Marks


def test_marks_show_at_once(tmp_path: Path) -> None:
    """What one process marks another sees, by a mapping that it had before."""
    path = tmp_path / "present"
    present.make(path, 5000, marked=[7])
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as other:
        with Marks(path) as marks:
            marks.mark([0, 4999])
            assert [n for n in range(len(marks)) if marks[n]] == [0, 7, 4999]
            assert marks.count() == 3
        assert other[0] == other[4999] == 1
    assert present.count(path) == (3, 5000)


def test_the_map_needs_no_more_room(tmp_path: Path) -> None:
    """All of the file is written from the beginning: a full disk cannot keep a mark away."""
    path = tmp_path / "present"
    present.make(path, 100_000)
    assert path.stat().st_blocks * 512 >= 100_000


def test_full_and_empty(tmp_path: Path) -> None:
    """A map without anything in it is full; one gets full by its last mark, and can be put back."""
    present.make(tmp_path / "none", 0)
    with Marks(tmp_path / "none") as none:
        assert none.is_full()
        assert none.count() == len(none) == 0
    present.make(tmp_path / "two", 2)
    with Marks(tmp_path / "two") as two:
        two.mark([1])
        before = two.snapshot()
        assert not two.is_full()
        two.mark([0])
        assert two.is_full()
        two.restore(before)
        assert [two[0], two[1]] == [False, True]
        two.clear()
        assert two.count() == 0
