"""`rootless.containers.size`: what a container takes up."""

from pathlib import Path

from rootless.containers import keep, record
from rootless.containers.request import RunRequest
from rootless.containers.size import size_of
from rootless.paths import Paths


def test_its_files(loaded: Paths) -> None:
    """What it wrote counts by blocks, hard links once; one that has gone is nothing."""
    made = keep.kept(loaded, "pic", RunRequest(name="n"), again=True)
    before = size_of(loaded, made)
    assert 0 < before < 500_000
    upper = record.folder_of(loaded, made) / "overlay" / "upper"
    upper.mkdir(parents=True)
    (upper / "file").write_bytes(b"x" * (1 << 20))
    (upper / "link").hardlink_to(upper / "file")
    with (upper / "holes").open("wb") as file:
        file.truncate(1 << 30)
    assert 1 << 20 <= size_of(loaded, made) - before < (1 << 20) + 100_000
    record.take_away(loaded, made)
    assert size_of(loaded, made) == 0


def test_files_elsewhere(loaded: Paths, tmp_path: Path) -> None:
    """An upperdir of the user's own counts, too."""
    mine = tmp_path / "mine"
    (mine / "upper").mkdir(parents=True)
    (mine / "upper" / "file").write_bytes(b"x" * (1 << 20))
    made = keep.kept(loaded, "pic", RunRequest(overlay=str(mine)), again=False)
    assert size_of(loaded, made) > 1 << 20


def test_files_that_only_the_container_can_read(loaded: Paths) -> None:
    """They are looked at from inside its user namespace."""
    made = keep.kept(loaded, "pic", RunRequest(name="n"), again=True)
    upper = record.folder_of(loaded, made) / "overlay" / "upper"
    closed = upper / "closed"
    closed.mkdir(parents=True)
    (closed / "file").write_bytes(b"x" * (1 << 20))
    closed.chmod(0)
    try:
        assert size_of(loaded, made) > 1 << 20
    finally:
        closed.chmod(0o700)
