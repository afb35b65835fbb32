"""What a run says on a host that lacks something: one clear line each, with what to do.

The lack is made in a user and mount namespace of the test's (unshare(1)), as any user can.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from executable import Rootless
from pseudo_terminal import PseudoTerminal
from run_processes import descendants, kill

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def run(rootless: Rootless, prepare: str, *words: str, **environ: str) -> tuple[int, str, str]:
    """Run `rootless run WORDS` after shell commands in new namespaces; status and what was said."""
    done = subprocess.run(
        [
            "unshare",
            "-rm",
            "sh",
            "-ec",
            prepare + '\nexec "$@"',
            "sh",
            *rootless.command("run", *words),
        ],
        env={**rootless.home.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def one_line(result: tuple[int, str, str]) -> str:
    """Return the one line that a refused run says."""
    status, _, said = result
    assert (status, said.count("\n")) == (125, 1), said
    return said


@pytest.mark.both_users
def test_full_disk_for_the_workload(demo_alone: Rootless, driver: str) -> None:
    """A full disk is the workload's ENOSPC, and what it had written goes."""
    scratch = Path(demo_alone.home.environ["ROOTLESS_SCRATCH"])
    scratch.mkdir()
    words = (
        "--overlay-driver",
        driver,
        "debian-demo",
        "sh",
        "-c",
        "head -c 1000000 /dev/zero >/big",
    )
    status, _, said = run(demo_alone, f"mount -t tmpfs -o size=64k x {scratch}", *words)
    assert status == 1
    assert "No space left on device" in said


def test_full_disk_for_the_set_up(demo_alone: Rootless) -> None:
    """A disk with no room for a workdir is named as such."""
    scratch = Path(demo_alone.home.environ["ROOTLESS_SCRATCH"])
    scratch.mkdir()
    prepare = f"mount -t tmpfs -o size=4k,nr_inodes=5 x {scratch}"
    said = one_line(run(demo_alone, prepare, "debian-demo", "true"))
    assert "ROOTLESS_SCRATCH" in said
    assert "room" in said or "No space left" in said


def test_a_read_only_store(demo_alone: Rootless) -> None:
    """Images run from a store that cannot be written."""
    store = demo_alone.home.environ["ROOTLESS_HOME"]
    prepare = f"mount --bind {store} {store}; mount -o remount,bind,ro {store}"
    assert run(demo_alone, prepare, "debian-demo", "echo", "ran") == (0, "ran\n", "")


def test_a_store_without_permission(demo_alone: Rootless, tmp_path: Path) -> None:
    """A store that may not be read is named, with the variable that names another."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    result = demo_alone("run", "debian-demo", "true", env={"ROOTLESS_HOME": str(closed)})
    assert "ROOTLESS_HOME" in one_line((result.status, result.stdout, result.stderr))


@pytest.mark.parametrize("value", ["", "/proc", "/no/such/folder", "relative"])
def test_without_a_runtime_folder(demo_alone: Rootless, tmp_path: Path, value: str) -> None:
    """Without a usable $XDG_RUNTIME_DIR, as in a batch job, a folder below $TMPDIR serves."""
    environ = {"XDG_RUNTIME_DIR": value, "TMPDIR": str(tmp_path)}
    assert demo_alone.ok("run", "debian-demo", "echo", "ran", env=environ) == "ran\n"
    assert os.listdir(tmp_path / f"rootless-{os.getuid()}" / "runs") == []


def test_a_runtime_folder_that_others_may_write(demo_alone: Rootless, tmp_path: Path) -> None:
    """Another user's folder in a shared /tmp is refused, with what to do."""
    taken = tmp_path / f"rootless-{os.getuid()}"
    taken.mkdir()
    taken.chmod(0o777)  # its maker could write in it, whoever he is
    environ = {"XDG_RUNTIME_DIR": "", "TMPDIR": str(tmp_path)}
    result = demo_alone("run", "debian-demo", "true", env=environ)
    said = one_line((result.status, result.stdout, result.stderr))
    assert "not yours alone" in said
    assert "XDG_RUNTIME_DIR" in said


@pytest.mark.both_users
def test_a_scratch_folder_with_other_things(demo_alone: Rootless, tmp_path: Path) -> None:
    """$ROOTLESS_SCRATCH=/tmp: what a killed run left goes, and nothing of the user's own does."""
    scratch = tmp_path / "tmp"
    own = ("thesis/chapter", ".tmp-notes", ".tmp-0123456789abcde", "upper/file", ".tmp-x/file")
    for name in own:
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_text(name)
    before = sorted(scratch.rglob("*"))
    environ = {"ROOTLESS_SCRATCH": str(scratch)}
    whole = {**demo_alone.home.environ, **environ}
    writes = ("run", "debian-demo", "sh", "-c", "echo x > /etc/x; echo here; sleep 600")
    with demo_alone.start(*writes, stdout=subprocess.PIPE, env=whole) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"here\n"
        for pid in descendants(killed.pid):
            kill(pid)
    assert len(sorted(scratch.rglob("*"))) > len(before)
    for words in (("run", "debian-demo", "true"), ("prune", "-f"), ("system", "df")):
        demo_alone.ok(*words, env=environ)
        assert sorted(scratch.rglob("*")) == before
    assert all((scratch / name).read_text() == name for name in own)


def test_a_folder_that_another_made_first(demo_alone: Rootless, tmp_path: Path) -> None:
    """What a container writes lies in no folder that others may change: in memory rather."""
    taken = tmp_path / f"rootless-{os.getuid()}"
    taken.mkdir()
    taken.chmod(0o777)
    environ = {"ROOTLESS_SCRATCH": "/proc", "TMPDIR": str(tmp_path)}
    script = "echo x > /x && cat /x"
    assert demo_alone.ok("run", "debian-demo", "sh", "-c", script, env=environ) == "x\n"
    assert os.listdir(taken) == []


# Nothing but the container's own devices in /dev
_NO_DEVICE = """
for name in null zero full random urandom tty; do
    touch $TMPDIR/$name
    mount --bind /dev/$name $TMPDIR/$name
done
mount --rbind $TMPDIR /dev
"""
# A file of root's that nobody else may open, in the device's place
_CLOSED_DEVICE = "mount --bind /etc/shadow /dev/fuse"


@pytest.mark.both_users
@pytest.mark.parametrize("prepare", [_NO_DEVICE, _CLOSED_DEVICE], ids=["missing", "closed"])
def test_no_fuse_device(demo_alone: Rootless, driver: str, tmp_path: Path, prepare: str) -> None:
    """Without /dev/fuse, or the right to open it, one line says so."""
    options = ("--overlay-driver", driver, "debian-demo", "true")
    said = one_line(run(demo_alone, prepare, *options, TMPDIR=str(tmp_path)))
    assert "FUSE server" in said
    assert "/dev/fuse usable" in said


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for $PATH without newuidmap and newgidmap."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "setsid"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


@pytest.mark.needs_subid
def test_newuidmap_is_missing(demo_alone: Rootless, bare_path: Path) -> None:
    """Without newuidmap one ID is mapped, and somebody at a terminal is told why, once."""
    environ = {**demo_alone.home.environ, "PATH": str(bare_path)}
    command = demo_alone.command("run", "debian-demo", "cat", "/proc/self/uid_map")
    for said_before in (False, True):
        with PseudoTerminal(command, environ) as terminal:
            status, said = terminal.finish()
        assert status == 0
        assert said.split()[-3:] == ["0", str(os.getuid()), "1"]
        assert ("only your own ID is mapped: " in said) is not said_before
        assert ("newuidmap" in said) is not said_before


@pytest.mark.needs_subid
@pytest.mark.parametrize(
    ("script", "words"),
    [("echo newuidmap: bad luck >&2; exit 1", "bad luck"), ("kill -9 $$", "refuses the ID map")],
)
def test_newuidmap_fails(demo_alone: Rootless, bare_path: Path, script: str, words: str) -> None:
    """What newuidmap says is passed on in one line, with what to look at."""
    for name in ("newuidmap", "newgidmap"):
        (bare_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (bare_path / name).chmod(0o755)
    result = demo_alone("run", "debian-demo", "true", env={"PATH": str(bare_path)})
    said = one_line((result.status, result.stdout, result.stderr))
    assert words in said
    assert "--userns single" in said
    assert files_left(demo_alone) == []


@pytest.mark.needs_subid
def test_ctrl_c_ends_newuidmap(demo_alone: Rootless, bare_path: Path) -> None:
    """A Ctrl-C that newuidmap has too is no failure of its: the run ends by it, without a word."""
    for name in ("newuidmap", "newgidmap"):
        (bare_path / name).write_text("#!/bin/sh\nkill -INT $PPID; kill -INT $$\n")
        (bare_path / name).chmod(0o755)
    result = demo_alone("run", "debian-demo", "true", env={"PATH": str(bare_path)})
    assert (result.status, result.stderr) == (130, "")
    assert files_left(demo_alone) == []


def files_left(rootless: Rootless) -> list[str]:
    """Return the files of runs in the run-time folder."""
    runs = rootless.home.runtime / "runs"
    return os.listdir(runs) if runs.exists() else []
