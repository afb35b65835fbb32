"""`rootless.lazy.durable`: after a power loss no mark stands for what never reached the disk."""

from pathlib import Path

import pytest

from rootless.lazy import durable, present
from rootless.lazy.present import Marks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A layer of four chunks and two gaps, of this boot."""
    present.make(tmp_path / "present", 4)
    present.make(tmp_path / "gaps", 2)
    (tmp_path / "data").touch()
    durable.mark_new(tmp_path)
    return tmp_path


def marked(folder: Path) -> tuple[bytes, bytes]:
    """Return both maps."""
    return (folder / "present").read_bytes(), (folder / "gaps").read_bytes()


def mark(folder: Path, chunks: list[int], gaps: list[int], *, keeps: bool = False) -> None:
    """Mark some, and bring them to the disk where asked for."""
    with (
        Marks(folder / "present") as of_chunks,
        Marks(folder / "gaps") as of_gaps,
        (folder / "data").open("rb") as data,
    ):
        of_chunks.mark(chunks)
        of_gaps.mark(gaps)
        if keeps:
            durable.keep(folder, [data.fileno()], [of_chunks, of_gaps])


def test_in_the_same_boot_all_marks_count(folder: Path) -> None:
    """What a killed fetcher has written is in the page cache, and read from there."""
    mark(folder, [0, 3], [1])
    durable.settle(folder)
    assert marked(folder) == (b"\1\0\0\1", b"\0\1")


def test_in_another_boot_only_what_was_kept(folder: Path) -> None:
    """Marks go back to the copy that was taken before the data was brought to the disk."""
    mark(folder, [0], [1], keeps=True)
    mark(folder, [1, 2], [0])
    (folder / "boot").write_text("another\n")
    durable.settle(folder)
    assert marked(folder) == (b"\1\0\0\0", b"\0\1")
    mark(folder, [3], [])
    durable.settle(folder)
    assert marked(folder) == (b"\1\0\0\1", b"\0\1")


@pytest.mark.parametrize("kept", [None, b"\1\1\1"])
def test_without_a_copy_nothing_counts(folder: Path, kept: bytes | None) -> None:
    """Nothing was kept yet, or the copy is of another length: all is fetched again."""
    mark(folder, [0, 1, 2, 3], [0, 1])
    if kept is not None:
        (folder / "kept").write_bytes(kept)
    (folder / "boot").unlink()
    durable.settle(folder)
    assert marked(folder) == (bytes(4), bytes(2))
