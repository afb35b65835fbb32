"""Folders of runs, and what tells a dead run's from a living one's."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rootless.containers.run_folder import RunFolder, remove_owned_by_container, sweep
from rootless.errors import StoreError
from rootless.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Folders of a user's, none of them there yet."""
    return Paths(tmp_path / "store", tmp_path / "run/rootless", tmp_path / "scratch")


def test_is_private_and_goes(paths: Paths) -> None:
    """A run's folder is its user's alone; its files go with it."""
    folder = RunFolder.create(paths, "id")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert folder.write("hosts", b"x").read_bytes() == b"x"
    folder.remove()
    folder.remove()  # idempotent
    assert not folder.path.exists()


def test_is_private_whatever_the_umask(paths: Paths) -> None:
    """Where users have a group of their own the umask is 002: a folder of ours is 0700."""
    before = os.umask(0o002)
    try:
        folder = RunFolder.create(paths, "id")
    finally:
        os.umask(before)
    assert stat.S_IMODE(paths.runtime.stat().st_mode) == 0o700
    folder.remove()


def test_sweep_spares_the_living(paths: Paths) -> None:
    """A folder goes when its run is dead, and stays while the run holds its lock."""
    living = RunFolder.create(paths, "living")
    dead = RunFolder.create(paths, "dead")
    os.close(dead.lock_fd)
    for name in ("a", "b"):
        (paths.scratch / (name * 64) / "upper").mkdir(parents=True)
    sweep(paths)
    assert os.listdir(paths.runtime / "runs") == ["living"]
    assert os.listdir(paths.scratch) == []
    living.remove()


def test_sweep_takes_nothing_of_others(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$ROOTLESS_SCRATCH may be /tmp: only what has a run's name goes, and in $TMPDIR too."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    shared = tmp_path / f"rootless-{os.getuid()}" / "scratch"
    names = {"mine", "upper", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + ".bak"}
    for folder in (paths.scratch, shared):
        for name in (*names, "0" * 64):
            (folder / name / "upper").mkdir(parents=True)
        (folder / ("1" * 64)).touch()
        (folder / ("2" * 64)).symlink_to(tmp_path)
    sweep(paths)
    for folder in (paths.scratch, shared):
        assert set(os.listdir(folder)) == names | {"1" * 64, "2" * 64}
        assert all((folder / name / "upper").is_dir() for name in names)


def test_sweep_of_nothing(paths: Paths) -> None:
    """Where nothing ever ran there is nothing to sweep, and nothing is made."""
    sweep(paths)
    assert not paths.runtime.exists()
    assert not paths.scratch.exists()


def test_sweep_leaves_what_is_no_folder(paths: Paths, tmp_path: Path) -> None:
    """Files and links among the runs are not followed."""
    runs = paths.runtime / "runs"
    runs.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (runs / "link").symlink_to(tmp_path / "elsewhere")
    (runs / "file").touch()
    sweep(paths)
    assert sorted(os.listdir(runs)) == ["file", "link"]
    assert (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_refuses_a_folder_that_others_may_write(paths: Paths, mode: int) -> None:
    """A run-time folder that others can write in is refused, with what to do."""
    paths.runtime.mkdir(parents=True)
    paths.runtime.chmod(mode)
    with pytest.raises(StoreError, match=r"not yours alone.*XDG_RUNTIME_DIR"):
        RunFolder.create(paths, "id")


@pytest.mark.needs_user
def test_refuses_a_folder_of_another_user() -> None:
    """A run-time folder that another user made is refused."""
    with pytest.raises(StoreError, match=r"not yours alone|Permission denied"):
        RunFolder.create(Paths(Path("/x"), Path("/usr/lib"), Path("/x")), "id")


def test_refuses_a_link_in_its_place(paths: Paths, tmp_path: Path) -> None:
    """A link, which somebody may have put into a shared /tmp, is refused."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    paths.runtime.parent.mkdir()
    paths.runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="not yours alone"):
        RunFolder.create(paths, "id")


def test_names_what_cannot_be_made(tmp_path: Path) -> None:
    """A run-time folder that cannot be made is one error, with its path and what to do."""
    (tmp_path / "file").touch()
    paths = Paths(tmp_path, tmp_path / "file" / "rootless", tmp_path)
    with pytest.raises(StoreError, match=r"Not a directory.*file.*set XDG_RUNTIME_DIR"):
        RunFolder.create(paths, "id")


def test_removes_what_is_plain(tmp_path: Path) -> None:
    """Folders with files of the caller only go without a user namespace."""
    for name in ("a", "b"):
        (tmp_path / name / "c").mkdir(parents=True)
    remove_owned_by_container([tmp_path / "a", tmp_path / "b"])
    assert os.listdir(tmp_path) == []


def test_many_at_once(paths: Paths, tmp_path: Path) -> None:
    """Runs that begin while others sweep keep their folders."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from rootless.containers.run_folder import RunFolder, sweep\n"
        "from rootless.paths import Paths\n"
        "top = Path(sys.argv[1])\n"
        "paths = Paths(top / 'store', top / 'run/rootless', top / 'scratch')\n"
        "for n in range(60):\n"
        "    folder = RunFolder.create(paths, f'{sys.argv[2]}-{n}')\n"
        "    sweep(paths)\n"
        "    folder.write('hosts', b'x')\n"
        "    folder.remove()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name])
        for name in ("a", "b", "c")
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert os.listdir(paths.runtime / "runs") == []
