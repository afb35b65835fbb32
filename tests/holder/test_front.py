"""Runs in the foreground through a holder that have a name, a network, a job, others' processes."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from executable import Rootless
from holding import goes_through, warm, with_holder
from run_processes import Processes, is_alive

WaitUntil = Callable[[Callable[[], bool]], None]
LOOK = (
    "id; umask; pwd; grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Sig|Shd)' /proc/self/status;"
    "env | grep -v HOSTNAME | sort; ls -ln /proc/self/fd | sed 's/.*:.. //; s/pipe:.*//';"
    "ls /dev /sys/class/net; cut -d' ' -f4- /proc/self/mountinfo | sed -E"
    " 's/(master|shared):[0-9]+//; s#/rootless/(runs|holder)/[^ ]*#/RUN#; s/[0-9a-f]{64}/ID/g;"
    " s#(upper|work|lower)dir=[^ ,]*##g' | sort;"
    "for n in ipc uts net pid cgroup; do readlink /proc/self/ns/$n; done; exit 3"
)
SPACES = ("ipc", "uts", "net", "pid", "cgroup")
OPTIONS: dict[str, tuple[str, ...]] = {
    "job": ("--hpc",),
    "processes": ("--pid", "host", "--ipc", "host"),
    "network": ("--network", "private"),
    "port": ("-p", "127.0.0.1::80"),
    "device": ("--device", "/dev/null:/dev/other"),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_everything_is_as_in_an_ordinary_run(held: Rootless, options: tuple[str, ...]) -> None:
    """A workload sees the same, whichever way it was started."""
    warm(held, *options)
    words = ("run", *options, "debian-demo", "sh", "-c", LOOK)
    through = held("--timings", *words, stdin="")
    ordinary = with_holder(held, "off")(*words, stdin="")
    assert "client: told what to do" in through.stderr
    assert _alike(through.stdout) == _alike(ordinary.stdout)
    assert through.status == ordinary.status == 3
    assert through.stderr.startswith(ordinary.stderr)


def _alike(text: str) -> str:
    """Leave out what differs from one run to the next; tell the host's namespaces from others."""
    host = {os.readlink(f"/proc/self/ns/{each}") for each in SPACES}
    text = re.sub(r"^\w+:\[\d+\]$", lambda m: str(m[0] in host), text, flags=re.MULTILINE)
    return re.sub(r"/proc/\d+/fd", "/proc/PID/fd", text)


def test_a_pidfile(held: Rootless, tmp_path: Path) -> None:
    """It is there of what has ended at once, and not of what could not be executed."""
    (tmp_path / "damaged").write_bytes(b"\x7fnothing")
    (tmp_path / "damaged").chmod(0o755)
    pidfile = tmp_path / "pid"
    words = ("run", "--rm", "--pidfile", str(pidfile), "-v", f"{tmp_path}:/mnt", "debian-demo")
    warm(held)
    for _ in range(5):
        assert held(*words, "/mnt/damaged").status == 126
        assert not pidfile.exists()
        held.ok(*words, "true")
        assert int(pidfile.read_text()) > 1
        pidfile.unlink()


def test_a_name(held: Rootless, tmp_path: Path) -> None:
    """What it writes stays, for the next, for `start` and `cp`; --rm and its files take it away."""
    warm(held)
    write = ("debian-demo", "sh", "-c", "echo x >>/kept; wc -l </kept; exit 4")
    for expected in ("1\n", "2\n"):
        result = held("--timings", "run", "--name", "n", *write)
        assert "client: told what to do" in result.stderr
        assert (result.stdout, result.status) == (expected, 4)
    ordinary = with_holder(held, "off")
    assert ordinary("run", "--name", "n", *write).stdout == "3\n"
    (found,) = json.loads(held.ok("inspect", "n"))
    assert (found["State"]["Status"], found["State"]["ExitCode"]) == ("exited", 4)
    held.ok("cp", "n:/kept", str(tmp_path / "kept"))
    assert (tmp_path / "kept").read_text() == "x\n" * 3
    files = ("--pidfile", str(tmp_path / "pid"), "--cidfile", str(tmp_path / "id"))
    assert goes_through(held, "--name", "m", "--rm", *files)
    assert int((tmp_path / "pid").read_text()) > 1
    assert len((tmp_path / "id").read_text()) == 64
    assert held("run", *files, "debian-demo", "true").status == 125
    with held.start("run", "--name", "n", "debian-demo", "sleep", "600") as run:
        Processes.when_running(run.pid, "sleep")
        again = held("run", "--name", "n", "debian-demo", "true")
        assert (again.status, "running" in again.stderr) == (125, True)
        assert "n" in held.ok("ps", "--format", "{{.Names}}").split()
        held.ok("stop", "-t", "0", "n")
        assert run.wait(30) == 137
    assert held("run", "--name", "k", "debian-demo", "no-such").status == 127
    (found,) = json.loads(held.ok("inspect", "k"))
    assert (found["State"]["ExitCode"], "no-such" in found["State"]["Error"]) == (127, True)
    assert held.ok("ps", "-a", "--format", "{{.Names}}").split() in (["n", "k"], ["k", "n"])


def test_a_published_port(held: Rootless) -> None:
    """It is reachable as long as the container lives, and free again afterwards."""
    warm(held)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ("run", "-i", "-p", f"127.0.0.1:{port}:80", "debian-demo", "cat")
    for _ in range(2):
        with held.start(*words, stdin=subprocess.PIPE) as run:
            Processes.when_running(run.pid, "cat")
            socket.create_connection(("127.0.0.1", port), 5).close()
            run.communicate(b"", 30)
            assert run.returncode == 0


def test_ranks_of_a_job_share_a_user_namespace(held: Rootless) -> None:
    """Those that the holder serves, and those that it does not; another job has another."""
    environ = {**held.home.environ, "SLURM_JOB_ID": "7"}
    ways = [{**environ, "ROOTLESS_HOLDER": mode} for mode in ("", "off", "")]
    found = []
    runs = []
    script = "readlink /proc/self/ns/user; exec sleep 600"
    words = held.command("run", "--hpc", "debian-demo", "sh", "-c", script)
    deadline = time.monotonic() + 30
    while True:  # until a holder serves this job
        done = subprocess.run(
            [*held.command("--timings", "run", "--hpc", "debian-demo", "true")],
            env=ways[0],
            capture_output=True,
            text=True,
            check=True,
        )
        if "client: told what to do" in done.stderr:
            break
        assert time.monotonic() < deadline
    try:
        for each in (*ways, {**environ, "SLURM_JOB_ID": "8"}):
            runs.append(subprocess.Popen(words, env=each, stdout=subprocess.PIPE, text=True))
            said = runs[-1].stdout
            assert said is not None
            found.append(said.readline())
    finally:
        for run in runs:
            run.terminate()
            run.communicate(timeout=30)
            assert run.returncode == -signal.SIGTERM
    assert len(set(found[:3])) == 1
    assert found[3] != found[0]


@pytest.mark.parametrize("who", ["workload", "client", "init", "supervisor"])
def test_among_the_processes_of_others(held: Rootless, wait_until: WaitUntil, who: str) -> None:
    """All that the workload has started ends with it, and with SIGKILL of any of ours."""
    warm(held)
    script = "(setsid sleep 611 &) ; exec sleep 610"
    words = ("run", "--pid", "host", "debian-demo", "sh", "-c", script)
    with held.start(*words, stderr=subprocess.PIPE) as run:
        found = Processes.when_running(run.pid, "sleep")
        assert found.workload, found
        marked = [found.workload, *_those_of(found.workload)]
        wait_until(lambda: len(_those_of(found.workload)) >= 1)
        marked += _those_of(found.workload)
        pid = run.pid if who == "client" else getattr(found, who)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, marked)))
        run.communicate(timeout=30)
    wait_until(lambda: not held.ok("ps", "-aq").split())


def _those_of(pid: int) -> list[int]:
    """Return the other processes of a mount namespace that are programs of the image."""
    own = os.stat(f"/proc/{pid}/ns/mnt")
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != pid:
            try:
                if os.path.samestat(own, os.stat(f"/proc/{name}/ns/mnt")):
                    found.append(int(name))
            except OSError:
                continue
    return found


_MOUNTED_LATER = """
    d=$1; shift
    look() { "$@" run -v "$d:/x" debian-demo ls /x 2>"$d.err"; }
    held() { for i in $(seq 60); do
        look "$@" | sort -u; grep -q "client: told what to do" "$d.err" && return
        sleep 0.2
    done; echo never; }
    held "$@" | uniq
    mount -t tmpfs none "$d"; echo >"$d/over"
    held "$@" | uniq
    umount "$d"
    held "$@" | uniq
    "$@" system shutdown
"""


def test_what_the_host_mounts_later(held: Rootless, tmp_path: Path) -> None:
    """A volume shows it at once, on a host whose root is not shared with what was copied."""
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "under").touch()
    rootless = with_holder(held, "wait")
    words = ("sh", "-ec", _MOUNTED_LATER, "sh", folder, *rootless.command("--timings"))
    done = subprocess.run(
        ["unshare", "-rm", *words],
        env=rootless.home.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["under", "over", "under"], done.stderr
