"""`rootless.transfer.new_file`: there when it is complete, and no trace of it before."""

import errno
import os
import stat
from pathlib import Path

import pytest

from rootless.errors import Conflict, NotFound, StoreError
from rootless.image import lock
from rootless.oci.digest import sha256_of
from rootless.transfer import new_file as module
from rootless.transfer.new_file import explained, new_file, new_folder, write_digest


@pytest.fixture(params=["unnamed", "temporary"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a file system with O_TMPFILE, and one without."""
    if request.param == "temporary":
        monkeypatch.setattr(module, "open_unnamed", lambda *_: -1)


@pytest.mark.usefixtures("either_way")
def test_file_replaces_one_that_is_there(tmp_path: Path) -> None:
    """The old one stays until the new one is complete; its mode is as the umask says."""
    path = tmp_path / "f"
    for content in (b"one", b"two"):
        before = path.read_bytes() if path.exists() else None
        with new_file(str(path)) as fd:
            os.write(fd, content)
            assert (path.read_bytes() if path.exists() else None) == before
        assert path.read_bytes() == content
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.usefixtures("either_way")
def test_failure_leaves_nothing(tmp_path: Path) -> None:
    """Neither a part of the new file, nor a change of the old one."""
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), new_file(str(path)) as fd:
        os.write(fd, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_unnamed_file_is_in_no_folder_while_it_is_written(tmp_path: Path) -> None:
    """So that `kill -9` leaves nothing."""
    with new_file(str(tmp_path / "f")) as fd:
        os.write(fd, b"half")
        assert os.listdir(tmp_path) == []


def test_link_is_followed(tmp_path: Path) -> None:
    """What the link leads to is replaced, the link stays."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with new_file(str(tmp_path / "link")) as fd:
        os.write(fd, b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    """A FIFO or a device cannot be replaced; a folder is refused."""
    with new_file("/dev/null") as fd:
        assert stat.S_ISCHR(os.fstat(fd).st_mode)
    with pytest.raises(Conflict, match="folder"), new_file(str(tmp_path)):
        pass


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """The line names the folder that is not there."""
    with pytest.raises(NotFound, match=r"no such folder: .*/nowhere"):
        write_digest(str(tmp_path / "nowhere" / "f"), sha256_of(b""))


def test_digest_has_no_end_of_line(tmp_path: Path) -> None:
    """As podman writes it."""
    write_digest(str(tmp_path / "d"), sha256_of(b""))
    assert (tmp_path / "d").read_text() == sha256_of(b"")


def test_folder_is_there_when_it_is_complete(tmp_path: Path) -> None:
    """It may take the place of an empty one, and of nothing else."""
    path = tmp_path / "d"
    for _ in range(2):
        with new_folder(str(path)) as partial:
            (partial / "x").write_text("x")
            assert not (path / "x").exists()
        assert os.listdir(path) == ["x"]
        (path / "x").unlink()
    (path / "y").touch()
    with pytest.raises(Conflict, match="exists"), new_folder(str(path)):
        pass
    assert os.listdir(tmp_path) == ["d"]


def test_failed_and_killed_folders_are_removed(tmp_path: Path) -> None:
    """That of a dead process goes with the next of its name; a living one's stays."""
    with pytest.raises(FileExistsError), new_folder(str(tmp_path / "[d]")) as partial:
        os.makedirs(partial / "x" / "..")
    assert os.listdir(tmp_path) == []
    dead, living = tmp_path / ".tmp-[d]-00000000", tmp_path / ".tmp-[d]-11111111"
    for folder in (dead, living):
        folder.mkdir()
        (folder / "x").touch()
    fd = os.open(living, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert lock.try_lock(fd)
        with new_folder(str(tmp_path / "[d]")):
            pass
    finally:
        os.close(fd)
    assert sorted(os.listdir(tmp_path)) == [".tmp-[d]-11111111", "[d]"]


def test_errors_in_the_users_words() -> None:
    """What the kernel says becomes a line; a broken pipe is no fault."""
    with pytest.raises(StoreError, match=r"no permission: /x"), explained("/x"):
        raise PermissionError(errno.EACCES, "Permission denied")
    with pytest.raises(StoreError, match=r"is a directory: /x"), explained("/x"):
        raise IsADirectoryError(errno.EISDIR, "Is a directory")
    with pytest.raises(BrokenPipeError), explained("/x"):
        raise BrokenPipeError
