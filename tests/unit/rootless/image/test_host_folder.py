"""`rootless.image.host_folder`: what can be opened beneath a folder, and what errors say."""

import os
from pathlib import Path

import pytest

from rootless.errors import NotFound
from rootless.image.host_folder import HostFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file, a link to that, and links that lead out."""
    made = tmp_path / "made"
    (made / "d").mkdir(parents=True)
    (made / "d/file").write_text("x")
    (made / "link").symlink_to("d")
    (made / "out").symlink_to("/etc")
    return made


@pytest.mark.parametrize("path", ["d/file", b"d/file"])
def test_a_file(folder: Path, path: str | bytes) -> None:
    """It is read by either form of its path, and the folder itself by an empty one."""
    with HostFolder(str(folder)) as opened:
        with opened.opened(path, 0) as fd:
            assert os.read(fd, 9) == b"x"
        for name in ("", b"", "."):
            with opened.opened(name, os.O_DIRECTORY) as fd:
                assert os.path.samestat(os.fstat(fd), opened.status())
        assert opened.full(path) == str(folder / "d/file")


@pytest.mark.parametrize("path", ["link/file", "link", "out/passwd", "../made/d", "/etc", "none"])
def test_nothing_else(folder: Path, path: str) -> None:
    """No link is followed, and nothing leads out; the error names what was asked for."""
    with (
        HostFolder(str(folder)) as opened,
        pytest.raises(NotFound, match="cannot be read") as raised,
        opened.opened(path, 0),
    ):
        pass
    assert opened.full(path) in str(raised.value)


def test_a_link_itself(folder: Path) -> None:
    """It can be looked at."""
    with HostFolder(str(folder)) as opened:
        fd = opened.open_at("link", os.O_PATH | os.O_NOFOLLOW)
        assert os.readlink("", dir_fd=fd) == "d"
        os.close(fd)


def test_what_to_do(folder: Path) -> None:
    """It is said where somebody else may read it, and not where nothing is there."""
    (folder / "d/file").chmod(0)
    with HostFolder(str(folder), "ask somebody") as opened:
        with pytest.raises(NotFound, match="ask somebody"), opened.opened("d/file", 0):
            pass
        with pytest.raises(NotFound, match="cannot be read") as raised, opened.opened("none", 0):
            pass
        assert "ask somebody" not in str(raised.value)


def test_closed_twice(folder: Path) -> None:
    """It is opened by name, told of where that cannot be, and closed as often as one likes."""
    opened = HostFolder(str(folder))
    opened.open()
    opened.close()
    opened.close()
    with pytest.raises(NotFound, match="none"):
        HostFolder(str(folder / "none")).open()
