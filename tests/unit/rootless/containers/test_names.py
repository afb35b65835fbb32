"""Folders of named containers."""

import fcntl
import os
import stat

import pytest

from rootless.containers.names import claim, folder_of, remove
from rootless.errors import Conflict, InvalidInput, NotFound, StoreError
from rootless.paths import Paths


@pytest.mark.parametrize("name", ["a", "A9", "a_b.c-d", "x" * 128])
def test_good_names(paths: Paths, name: str) -> None:
    """A name is the folder's, below the store's containers."""
    assert folder_of(paths, name) == paths.store / "containers" / name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-a", "_a", ".a", "a/b", "a b", "a\n", "é", "x" * 129]
)
def test_bad_names(paths: Paths, name: str) -> None:
    """What could leave the folder, look like an option or be hidden is no name."""
    with pytest.raises(InvalidInput, match="not a container name"):
        folder_of(paths, name)


def test_the_second_run_finds_what_the_first_left(paths: Paths) -> None:
    """A name gives the same folder as long as its image is the same; it is its user's alone."""
    folder = claim(paths, "n", "sha256:1", "pic", replace=False)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "kept").touch()
    assert claim(paths, "n", "sha256:1", "other-name", replace=False) == folder
    assert sorted(os.listdir(folder)) == ["container.json", "kept"]


def test_another_image_is_a_conflict(paths: Paths) -> None:
    """The container's own image is named, and both ways out of it."""
    claim(paths, "n", "sha256:1", "pic", replace=False)
    with pytest.raises(Conflict, match=r"another image, pic: n \(--replace .*'rootless rm n'"):
        claim(paths, "n", "sha256:2", "pic", replace=False)


def test_replace_starts_afresh(paths: Paths) -> None:
    """--replace takes any image and keeps nothing; it is no error where there is none yet."""
    for chain in ("sha256:1", "sha256:2"):
        folder = claim(paths, "n", chain, "pic", replace=True)
        assert os.listdir(folder) == ["container.json"]
        (folder / "kept").touch()


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"{}", b'{"image": "pic"}', b"\xff", b"7"])
def test_a_damaged_record(paths: Paths, record: bytes) -> None:
    """A record that says nothing is an error that names the file, until it is replaced."""
    folder = claim(paths, "n", "sha256:1", "pic", replace=False)
    (folder / "container.json").write_bytes(record)
    with pytest.raises(StoreError, match=r"record is damaged: .*container\.json \(--replace"):
        claim(paths, "n", "sha256:1", "pic", replace=False)
    claim(paths, "n", "sha256:1", "pic", replace=True)
    claim(paths, "n", "sha256:1", "pic", replace=False)


def test_names_what_cannot_be_made(paths: Paths) -> None:
    """A store that cannot be written is one error, with the path."""
    paths.store.touch()
    with pytest.raises(StoreError, match=r"cannot keep the container: Not a directory: .*store"):
        claim(paths, "n", "sha256:1", "pic", replace=False)


def test_removes(paths: Paths) -> None:
    """A container goes with its files; the others stay."""
    folder = claim(paths, "n", "sha256:1", "pic", replace=False)
    (folder / "upper").mkdir()
    claim(paths, "m", "sha256:1", "pic", replace=False)
    remove(paths, "n")
    assert os.listdir(paths.store / "containers") == ["m"]


def test_names_those_that_are_there(paths: Paths) -> None:
    """A container that is not there is told with those that are."""
    with pytest.raises(NotFound, match=r"no such container: n \(there are none\)"):
        remove(paths, "n")
    for name in ("b", "a"):
        claim(paths, name, "sha256:1", "pic", replace=False)
    with pytest.raises(NotFound, match=r"no such container: n \(there are a, b\)"):
        remove(paths, "n")


def test_one_that_runs_stays(paths: Paths) -> None:
    """While a run holds the folder's lock it is neither removed nor replaced."""
    folder = claim(paths, "n", "sha256:1", "pic", replace=False)
    fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with pytest.raises(Conflict, match="the container is running: n"):
        remove(paths, "n")
    with pytest.raises(Conflict, match="the container is running: n"):
        claim(paths, "n", "sha256:2", "pic", replace=True)
    os.close(fd)
    assert (folder / "container.json").exists()
    remove(paths, "n")
