"""Mount targets below a root file system that may be hostile."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.errors import OverlayError
from rootless.runtime.rootfs import make_directory, open_target


@pytest.fixture
def root(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A root beside a folder of the host that must stay as it is."""
    (tmp_path / "host").mkdir()
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    yield folder, fd
    os.close(fd)
    assert list((tmp_path / "host").iterdir()) == []


def target(root: tuple[Path, int], path: str, *, directory: bool = True) -> Path:
    """Open a target; return where it lies in the root."""
    fd = open_target(root[1], path, directory=directory)
    try:
        assert stat.S_ISDIR(os.fstat(fd).st_mode) is directory
        assert not os.get_inheritable(fd)
        return Path("/") / Path(f"/proc/self/fd/{fd}").readlink().relative_to(root[0])
    finally:
        os.close(fd)


@pytest.mark.parametrize("path", ["/etc", "etc", "/new", "/a/b/c", "/", "/../..", "/etc/../x/./y/"])
def test_folders(root: tuple[Path, int], path: str) -> None:
    """What is missing is made, with its parents; nothing climbs above the root."""
    assert str(target(root, path)) == os.path.normpath(f"/{path.lstrip('/')}")


def test_files(root: tuple[Path, int]) -> None:
    """A file that is missing is made empty."""
    assert str(target(root, "/a/file", directory=False)) == "/a/file"
    assert (root[0] / "a" / "file").read_bytes() == b""


@pytest.mark.parametrize(
    ("link", "there"),
    [
        ("/run/x", "/run/x"),
        ("../run/x", "/run/x"),
        ("../../../../../run/x", "/run/x"),
        ("{host}/x", "{host}/x"),
        ("x", "/etc/x"),
    ],
)
@pytest.mark.parametrize("directory", [True, False])
def test_dangling_links_are_made_inside(
    root: tuple[Path, int],
    link: str,
    there: str,
    directory: bool,  # noqa: FBT001
) -> None:
    """The end of a link that leads nowhere is made, below the root, wherever it points."""
    host = str(root[0].parent / "host")
    (root[0] / "etc" / "resolv.conf").symlink_to(link.format(host=host))
    found = target(root, "/etc/resolv.conf", directory=directory)
    assert str(found) == there.format(host=host)


def test_links_through_links(root: tuple[Path, int]) -> None:
    """A chain of dangling links is followed, and `..` counts from where a link really lies."""
    folder = root[0]
    (folder / "real" / "deep").mkdir(parents=True)
    (folder / "short").symlink_to("real/deep")
    (folder / "real" / "deep" / "link").symlink_to("../next")
    (folder / "real" / "next").symlink_to("/etc/end")
    assert str(target(root, "/short/link")) == "/etc/end"
    (folder / "short2").symlink_to("real/deep")
    (folder / "real" / "deep" / "link2").symlink_to("../made")
    assert str(target(root, "/short2/link2/below")) == "/real/made/below"


@pytest.mark.parametrize(
    "links",
    [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "/a/b"}, {"a": "b/..", "b": "a"}, {"a": "/x/../a"}],
)
def test_links_that_lead_in_a_circle(root: tuple[Path, int], links: dict[str, str]) -> None:
    """A loop is one error, whether it dangles or not."""
    for name, to in links.items():
        (root[0] / name).symlink_to(to)
    for directory in (True, False):
        with pytest.raises(OverlayError, match="cannot make the mount point"):
            open_target(root[1], "/a", directory=directory)


def test_endless_chain(root: tuple[Path, int]) -> None:
    """More links than the kernel follows end in an error."""
    for number in range(60):
        (root[0] / f"l{number}").symlink_to(f"l{number + 1}")
    with pytest.raises(OverlayError, match="cannot make the mount point"):
        open_target(root[1], "/l0", directory=True)


def test_the_wrong_kind(root: tuple[Path, int]) -> None:
    """A file where a folder must be, and the other way round, are refused."""
    (root[0] / "file").touch()
    for path in ("/file", "/file/below"):
        with pytest.raises(OverlayError, match="mount point"):
            open_target(root[1], path, directory=True)
    with pytest.raises(OverlayError, match="must be a file"):
        open_target(root[1], "/etc", directory=False)


@pytest.mark.needs_user
def test_a_folder_that_cannot_be_written(root: tuple[Path, int]) -> None:
    """A target that cannot be made names the reason."""
    (root[0] / "etc").chmod(0o555)
    with pytest.raises(OverlayError, match="read-only and lacks it"):
        open_target(root[1], "/etc/x", directory=True)


def test_working_directory(root: tuple[Path, int]) -> None:
    """It is made where it is missing; one that is there is left alone; a file is refused."""
    make_directory(root[1], "/work/dir", os.getuid(), os.getgid())
    assert (root[0] / "work" / "dir").is_dir()
    make_directory(root[1], "/work/dir", 12345, 12345)
    assert (root[0] / "work" / "dir").stat().st_uid == os.getuid()
    (root[0] / "file").touch()
    with pytest.raises(OverlayError, match="working directory is a file"):
        make_directory(root[1], "/file", 0, 0)


def test_working_directory_behind_a_link_of_proc(tmp_path: Path) -> None:
    """A link of /proc, which leads out of any root, is no working directory (CVE-2024-21626)."""
    fd = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    try:
        with pytest.raises(OverlayError, match="working directory cannot be used"):
            make_directory(fd, "/self/cwd", 0, 0)
    finally:
        os.close(fd)
