"""Cgroups of the kernel's own, in a part of its tree that root gives to the ordinary user."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import leaks
import pytest
from delegated import Delegated, delegated
from ordinary_user import as_ordinary_user, ordinary_user

from rootless.errors import Conflict
from rootless.oci.linux_spec import LinuxSpec
from rootless.runtime import cgroups
from rootless.runtime.cgroup import Cgroup

pytestmark = pytest.mark.needs_root


@pytest.fixture
def tree() -> Iterator[Delegated]:
    """The user's part of the tree."""
    with delegated() as found:
        yield found


def in_tree(tree: Delegated, body: Callable[[Cgroup], None]) -> None:
    """Run a test's body as the user, standing in the tree, with a container's cgroup."""

    def enter() -> None:
        tree.enter()
        cgroup = cgroups.prepare(LinuxSpec(), "id")
        assert cgroup is not None
        assert cgroup.path == tree.path / "rootless-id"
        try:
            body(cgroup)
        finally:
            cgroup.kill()
            cgroup.remove()
        assert not cgroup.path.exists()

    as_ordinary_user(enter)
    assert tree.below() == []


def start(work: Callable[[], object]) -> int:
    """Fork a process that works, and then waits for a signal."""
    pid = os.fork()
    if pid == 0:
        work()
        while True:
            signal.pause()
    return pid


def end_of(pid: int) -> int:
    """Wait for a process; return the signal that ended it."""
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status)


def test_a_life(tree: Delegated) -> None:
    """Processes are put in, counted, stopped, let go on, and killed with all their children."""

    def body(cgroup: Cgroup) -> None:
        go_fd, write_fd = os.pipe()
        pid = start(lambda: (os.read(go_fd, 1), os.fork()))
        cgroup.add(pid)
        assert cgroup.pids() == (pid,)
        os.write(write_fd, b"x")
        while len(cgroup.pids()) < 2:
            time.sleep(0.01)
        cgroup.freeze()
        assert cgroup.is_frozen()
        cgroup.thaw()
        assert not cgroup.is_frozen()
        assert cgroup.statistics().cpu_usage is not None
        assert cgroups.open_cgroup(str(cgroup.path)).pids() == cgroup.pids()
        cgroup.kill()
        assert end_of(pid) == signal.SIGKILL

    in_tree(tree, body)


def test_a_frozen_process_does_not_work(tree: Delegated) -> None:
    """A frozen process gets no CPU time at all."""

    def spin() -> None:
        while True:
            pass

    def body(cgroup: Cgroup) -> None:
        cgroup.add(start(spin))
        time.sleep(0.1)
        cgroup.freeze()
        before = cgroup.statistics().cpu_usage
        time.sleep(0.2)
        assert cgroup.statistics().cpu_usage == before
        cgroup.thaw()
        time.sleep(0.2)
        after = cgroup.statistics().cpu_usage
        assert before is not None
        assert after is not None
        assert after > before

    in_tree(tree, body)


def _fork_on_and_on() -> None:
    while True:
        if os.fork() == 0:
            time.sleep(0.02)
            continue
        os._exit(0)


@pytest.mark.parametrize("kernel", ["with cgroup.kill", "before 5.14"])
def test_nobody_escapes(tree: Delegated, kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that forks and exits, over and over, is caught, by cgroup.kill and without."""
    if kernel == "before 5.14":
        write = Cgroup._write

        def without_kill(cgroup: Cgroup, name: str, value: str) -> None:
            if name == "cgroup.kill":
                raise FileNotFoundError(name)
            write(cgroup, name, value)

        monkeypatch.setattr(Cgroup, "_write", without_kill)

    def body(cgroup: Cgroup) -> None:
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                cgroup.add(os.getpid())
                _fork_on_and_on()
            os.waitpid(pid, 0)
        assert cgroup.pids()
        cgroup.kill()
        deadline = time.monotonic() + 5
        while cgroup.pids():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    in_tree(tree, body)


def test_removing_waits_for_the_dying(tree: Delegated) -> None:
    """A cgroup whose processes have been killed a moment ago can be removed."""

    def body(cgroup: Cgroup) -> None:
        (cgroup.path / "inner").mkdir()
        block = bytearray(64 << 20)
        pids = [start(lambda: block.find(b"x")) for _ in range(4)]
        for pid in pids[:2]:
            cgroup.add(pid)
        for pid in pids[2:]:
            Cgroup(cgroup.path / "inner").add(pid)
        cgroup.kill()
        cgroup.remove()
        assert [end_of(pid) for pid in pids] == [signal.SIGKILL] * 4

    in_tree(tree, body)


def test_one_in_use_is_refused(tree: Delegated) -> None:
    """A cgroupsPath whose cgroup has processes is another container's."""

    def body(cgroup: Cgroup) -> None:
        cgroup.add(start(lambda: None))
        with pytest.raises(Conflict, match="has processes already"):
            cgroups.prepare(LinuxSpec(cgroups_path="rootless-id"), "other")
        with pytest.raises(Conflict, match="has processes already"):
            cgroups.prepare(LinuxSpec(cgroups_path=f"/{tree.path.name}/rootless-id"), "other")

    in_tree(tree, body)


# ── containers ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def environ(demo_image: str, tree: Delegated) -> Iterator[dict[str, str]]:
    """The environment of the user, whose store has the demo image."""
    user = ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="rootless-cgroups-"))
    os.chown(folder, user.pw_uid, user.pw_gid)
    env = {
        "HOME": str(folder),
        "USER": user.pw_name,
        "PATH": f"{Path(sys.prefix, 'bin')}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "ROOTLESS_HOME": str(folder / "store"),
        "TMPDIR": str(folder),
        leaks.SESSION_VARIABLE: os.environ[leaks.SESSION_VARIABLE],
    }
    done(tree, env, "load", demo_image.rpartition(":")[0])
    yield env
    shutil.rmtree(folder)


def done(tree: Delegated, environ: dict[str, str], *words: str) -> tuple[int, str, str]:
    """Run `rootless` to its end as the user, alone in the tree."""
    process = tree.start(["rootless", *words], environ)
    out, said = process.communicate(timeout=120)
    return process.returncode, out, said


@pytest.mark.needs_fuse
def test_a_container_has_its_own(
    tree: Delegated, environ: dict[str, str], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """It is the top of the container's namespace, holds its processes only, and goes with it."""
    process = tree.start(
        [
            "rootless",
            "run",
            "debian-demo",
            "sh",
            "-c",
            "tail -n1 /proc/self/cgroup; exec sleep 60",
        ],
        environ,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "0::/\n"
    (name,) = tree.below()

    def comms() -> list[str]:
        found = []
        for pid in Cgroup(tree.path / name).pids():
            with contextlib.suppress(OSError):  # tail ends meanwhile
                found.append(Path(f"/proc/{pid}/comm").read_text())
        return found[-2:]

    wait_until(lambda: comms() == ["rootless-init\n", "sleep\n"])
    process.terminate()
    process.communicate(timeout=60)
    assert tree.below() == []


@pytest.mark.needs_fuse
def test_killed_runs_leave_none(
    tree: Delegated, environ: dict[str, str], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """With the command line killed it goes; with everything killed, the next run removes it."""
    words = ["rootless", "run", "debian-demo", "sh", "-c", "echo on; exec sleep 60"]
    process = tree.start(words, environ)
    assert process.stdout is not None
    process.stdout.readline()
    assert len(tree.below()) == 1
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: tree.below() == [])

    process = tree.start(words, environ)
    assert process.stdout is not None
    process.stdout.readline()
    Cgroup(tree.path).kill()
    process.communicate(timeout=60)
    wait_until(lambda: Cgroup(tree.path).pids() == ())
    assert len(tree.below()) == 1
    assert done(tree, environ, "run", "debian-demo", "true")[0] == 0
    assert tree.below() == []


@pytest.mark.needs_fuse
@pytest.mark.parametrize("end", [("rm", "-f"), ("stop", "-t", "1"), ("kill",)])
def test_of_one_that_lives(
    tree: Delegated,
    environ: dict[str, str],
    end: tuple[str, ...],
    wait_until: Callable[[Callable[[], bool]], None],
) -> None:
    """Exec's processes are in it as well, it is counted, and it goes however the end comes."""
    work = "while :; do sleep 0.1; done"
    assert (
        done(tree, environ, "run", "-d", "--name", "box", "debian-demo", "sh", "-c", work)[0] == 0
    )
    (name,) = tree.below()
    assert done(tree, environ, "exec", "box", "tail", "-n1", "/proc/self/cgroup")[1] == "0::/\n"
    assert done(tree, environ, "exec", "-d", "box", "sleep", "77")[0] == 0
    wait_until(lambda: b"sleep\x0077\x00" in _command_lines(tree.path / name))
    assert "box" in done(tree, environ, "stats", "--no-stream", "box")[1]
    assert done(tree, environ, *end, "box")[0] == 0
    wait_until(lambda: tree.below() == [])
    done(tree, environ, "rm", "-f", "box")


def _command_lines(cgroup: Path) -> list[bytes]:
    found = []
    for pid in Cgroup(cgroup).pids():
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes())
    return found


@pytest.mark.needs_fuse
def test_disabled(tree: Delegated, environ: dict[str, str]) -> None:
    """--cgroups=disabled leaves the container where the command is."""
    process = tree.start(
        [
            "rootless",
            "run",
            "--cgroups=disabled",
            "debian-demo",
            "sh",
            "-c",
            "echo on; exec sleep 60",
        ],
        environ,
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert tree.below() == []
    process.terminate()
    process.communicate(timeout=60)


@pytest.mark.needs_fuse
def test_limits_of_the_kernel(tree: Delegated, environ: dict[str, str]) -> None:
    """More memory than allowed ends the workload, more processes than allowed are refused."""
    controllers = (tree.path / "cgroup.controllers").read_text().split()
    if not {"memory", "pids"} <= set(controllers):
        pytest.skip("needs kernel with cgroup v2 controllers that no cgroup v1 has")
    eat = "x = bytearray(256 << 20); print('had it')"
    options = ("--memory", "64m", "--memory-swap", "64m", "--strict-resources")
    status, out, said = done(tree, environ, "run", *options, "debian-demo", "python3", "-c", eat)
    assert (status, out, said) == (137, "", "")
    fork = "import os\nwhile True:\n if os.fork() == 0: import time; time.sleep(60)"
    options = ("--pids-limit", "20", "--strict-resources")
    status, _, said = done(tree, environ, "run", *options, "debian-demo", "python3", "-c", fork)
    assert status == 1
    assert "BlockingIOError" in said
