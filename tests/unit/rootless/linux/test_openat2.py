"""openat2(2) with links that want out."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.linux.openat2 import (
    RESOLVE_BENEATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_SYMLINKS,
    open_in_root,
    openat2,
)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A root with a file inside, a secret outside, and a descriptor of the root."""
    (tmp_path / "secret").write_text("outside")
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "file").write_text("inside")
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    yield folder, fd
    os.close(fd)


def read(root_fd: int, path: str) -> str:
    """Read a file below the root."""
    with open(open_in_root(root_fd, path, os.O_RDONLY), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize(
    "target",
    ["/etc/file", "../../../etc/file", "../etc/file", "/../etc/file", "/../../etc/./file", "loop"],
)
def test_links_stay_inside(root: tuple[Path, int], target: str) -> None:
    """Absolute links and climbing ones begin at the root that was given, not at the host's."""
    folder, fd = root
    (folder / "etc" / "loop").symlink_to("../etc/../../etc/file")
    (folder / "etc" / "link").symlink_to(target)
    assert read(fd, "/etc/link") == "inside"


@pytest.mark.parametrize("path", ["../secret", "/../secret", "/link", "etc/../../secret"])
def test_what_lies_outside_is_not_there(root: tuple[Path, int], path: str) -> None:
    """No path names the file beside the root."""
    folder, fd = root
    (folder / "link").symlink_to(folder.parent / "secret")
    with pytest.raises(FileNotFoundError) as caught:
        open_in_root(fd, path, os.O_RDONLY)
    assert caught.value.filename == path


def test_links_that_lead_in_a_circle(root: tuple[Path, int]) -> None:
    """A loop is an error, not a wait."""
    folder, fd = root
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("/a")
    with pytest.raises(OSError, match="symbolic links") as caught:
        open_in_root(fd, "a", os.O_RDONLY)
    assert caught.value.errno == errno.ELOOP


def test_magic_links_are_refused(tmp_path: Path) -> None:
    """A link of /proc, which jumps out of any root, is not followed."""
    fd = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY)
    try:
        for path in ("root", "cwd", "exe", f"fd/{fd}"):
            with pytest.raises(OSError, match="symbolic links"):
                open_in_root(fd, path, os.O_PATH)
    finally:
        os.close(fd)


def test_other_rules(root: tuple[Path, int]) -> None:
    """Beneath refuses what leaves; without links every link is refused."""
    folder, fd = root
    (folder / "link").symlink_to("etc")
    with pytest.raises(OSError, match="cross-device") as caught:
        openat2(fd, "../secret", os.O_RDONLY, RESOLVE_BENEATH)
    assert caught.value.errno == errno.EXDEV
    with pytest.raises(OSError, match="symbolic links"):
        openat2(fd, "link/file", os.O_RDONLY, RESOLVE_NO_SYMLINKS)


def test_new_files_and_inheritance(root: tuple[Path, int]) -> None:
    """The mode is that of the new file; no descriptor is inherited."""
    folder, fd = root
    made = openat2(fd, "new", os.O_CREAT | os.O_WRONLY, RESOLVE_IN_ROOT, 0o600)
    try:
        assert os.fstat(made).st_mode & 0o777 == 0o600
        assert not os.get_inheritable(made)
    finally:
        os.close(made)
    assert (folder / "new").exists()


def test_names_that_are_no_text(root: tuple[Path, int]) -> None:
    """A name of any bytes is opened."""
    folder, fd = root
    (folder / os.fsdecode(b"\xff")).write_text("bytes")
    assert read(fd, os.fsdecode(b"\xff")) == "bytes"
