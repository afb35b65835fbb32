"""Runs through a namespace holder: what they give, and what becomes of them when others end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from executable import Rootless
from holding import goes_through, holders, warm, with_all_it_forked, with_holder
from run_processes import Processes, is_alive

WaitUntil = Callable[[Callable[[], bool]], None]

# What a workload can see of what it was given; what differs by design or by chance is left out.
LOOK = r"""
id; umask; pwd; ulimit -a; nice; cat /proc/self/oom_score_adj /proc/self/uid_map /proc/self/gid_map
grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Sig|Shd)' /proc/self/status
env | grep -v HOSTNAME | sort; ls -ln /dev /proc/self/fd | sed 's/.*:.. //; s/pipe:.*//'
cut -d' ' -f4- /proc/self/mountinfo | sed -E 's/(master|shared):[0-9]+//; s/[0-9a-f]{64}/ID/g' \
  | sed -E 's#(upper|work|lower)dir=[^ ,]*##g' | sort
cat /etc/resolv.conf /proc/self/sessionid 2>/dev/null; ls /sys/class/net
set -- /proc/[0-9]*; echo $#
touch /x; echo $?; stat -c '%u:%g %a' / /x /tmp 2>/dev/null; cat
"""

OPTIONS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "input": ("-i",),
    "environment": ("-e", "A=b", "-e", "LANG", "-w", "/var/new"),
    "user": ("-u", "33", "--cap-drop", "ALL", "--cap-add", "CHOWN"),
    "read-only": ("--read-only", "--network", "none", "--hostname", "h"),
    "volume": ("-v", "./home:/w:ro", "--tmpfs", "/t", "--umask", "0077", "--ulimit", "nofile=100"),
    "unconfined": (
        "--security-opt",
        "seccomp=unconfined",
        "--security-opt",
        "no-new-privileges=false",
    ),
    "one ID": ("--userns", "single", "--group-add", "keep-groups"),
    "own ID": ("--userns", "keep-id"),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_everything_is_as_in_an_ordinary_run(held: Rootless, options: tuple[str, ...]) -> None:
    """A workload sees the same, whichever way it was started."""
    warm(held, *options)
    words = ("run", *options, "debian-demo", "sh", "-c", LOOK)
    through = held("--timings", *words, stdin="input\n")
    ordinary = with_holder(held, "off")(*words, stdin="input\n")
    assert "client: told what to do" in through.stderr
    assert through.stdout == ordinary.stdout
    assert through.status == ordinary.status == 0
    assert through.stderr.startswith(ordinary.stderr)


def test_it_starts_by_itself_and_ends_when_told(held: Rootless, wait_until: WaitUntil) -> None:
    """The first run starts one for those that come; they race, and there is one; it ends."""
    runs = [held.start("run", "debian-demo", "sleep", "0.2") for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    wait_until(lambda: goes_through(held) and len(holders(held)) == 1)
    held.ok("system", "shutdown")
    assert holders(held) == []
    assert not list((held.home.runtime / "holder").iterdir())
    assert not goes_through(with_holder(held, "off"))
    assert holders(held) == []


def test_who_starts_it_is_killed(held: Rootless) -> None:
    """Nobody else starts one meanwhile, or waits for it; after kill -9 the next one does."""
    warm(held)
    (folder,) = (held.home.runtime / "holder").iterdir()
    held.ok("system", "shutdown")
    script = (
        "import sys, time, pathlib\n"
        "from rootless.linux.folder_lock import make_locked\n"
        "make_locked(pathlib.Path(sys.argv[1]))\n"
        "print(flush=True)\n"
        "time.sleep(600)"
    )
    words = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        starter.stdout.readline()
        assert not goes_through(held)
        assert not with_all_it_forked(held)
        starter.kill()
    warm(held)
    assert len(holders(held)) == 1


def test_it_ends_by_itself(held: Rootless, wait_until: WaitUntil) -> None:
    """After `keep_alive` seconds without a run; with 0 there is none."""
    settings = held.home.path / "home/.config/rootless/config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("keep_alive = 0\n")
    assert not goes_through(held)
    assert holders(held) == []
    settings.write_text("keep_alive = 1\n")
    assert not goes_through(held)
    assert holders(held)
    wait_until(lambda: not holders(held))


def test_nobody_waits_for_it(held: Rootless, tmp_path: Path, wait_until: WaitUntil) -> None:
    """It holds no descriptor and no folder of who started it, and is in a session of its own.

    A job of a shell blocks signals for itself alone.
    """
    out = tmp_path / "out"
    with out.open("w") as file:
        held.start("run", "--native", "debian-demo", "true", stdout=file, stderr=file).wait(60)
    warm(held)
    wait_until(lambda: len(holders(held)) == 1)
    (pid,) = holders(held)
    assert os.getsid(pid) != os.getsid(0)
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    for each in Path(f"/proc/{pid}/fd").iterdir():
        assert os.readlink(each) != str(out)
    assert "SigBlk:\t0000000000000000\n" in Path(f"/proc/{pid}/status").read_text()


def test_a_run_outlives_the_holder(held: Rootless) -> None:
    """What runs goes on after SIGKILL, and reads its image; the next run is an ordinary one."""
    warm(held)
    script = "echo ready; read line; cat /usr/share/common-licenses/GPL-3 | wc -c; exit 7"
    with held.start(
        *("run", "-i", "debian-demo", "sh", "-c", script),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        for pid in holders(held):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
        output, _ = run.communicate(b"go on\n", 30)
        assert (int(output), run.returncode) == (35149, 7)
    assert not goes_through(held)
    warm(held)


def test_the_workload_is_the_client_s(held: Rootless, wait_until: WaitUntil) -> None:
    """It is the child of who was started; with kill -9 of that it goes, and all with it."""
    warm(held)
    with held.start("run", "debian-demo", "sleep", "600") as run:
        found = Processes.when_running(run.pid, "sleep")
        stat = Path(f"/proc/{found.workload}/stat").read_text()
        assert int(stat.rpartition(")")[2].split()[1]) == run.pid
        assert held.ok("ps", "-q").split()
        run.kill()
    wait_until(lambda: not any(map(is_alive, (found.workload, found.init, found.supervisor))))
    wait_until(lambda: not held.ok("ps", "-aq").split())
    held.ok("system", "shutdown")  # with what it had in stock
    wait_until(lambda: not list((held.home.runtime / "runs").iterdir()))
    wait_until(lambda: not list((held.home.store / "scratch").iterdir()))


def test_the_end_of_a_keeper(held: Rootless, wait_until: WaitUntil) -> None:
    """Whoever looks after a container takes it along, as a supervisor does."""
    warm(held)
    with held.start("run", "debian-demo", "sleep", "600", stderr=subprocess.PIPE) as run:
        found = Processes.when_running(run.pid, "sleep")
        os.kill(found.supervisor, signal.SIGKILL)
        _, said = run.communicate(timeout=30)
        assert run.returncode == 125
        assert b"cut off" in said
    wait_until(lambda: not is_alive(found.workload) and not is_alive(found.init))
    assert goes_through(held)


def test_other_commands_reach_it(held: Rootless) -> None:
    """`ps`, `exec`, `kill` and `wait` know a container that a keeper looks after."""
    warm(held)
    with held.start("run", "debian-demo", "sh", "-c", "sleep 600; exit 3") as run:
        Processes.when_running(run.pid, "sh")
        (name,) = held.ok("ps", "-q").split()
        assert held.ok("exec", name, "cat", "/proc/2/comm") == "sh\n"
        waiting = held.start("wait", name, stdout=subprocess.PIPE)
        time.sleep(0.5)
        held.ok("kill", "-s", "TERM", name)
        assert run.wait(30) == 143
        assert waiting.communicate(timeout=30)[0] == b"143\n"


def test_images_change(held: Rootless) -> None:
    """An image that is removed is not found; one of the same name is another one."""
    warm(held)
    held.ok("tag", "debian-demo", "other")
    held.ok("rmi", "debian-demo")
    result = held("run", "debian-demo", "true")
    assert result.status == 125
    assert "no such image" in result.stderr
    held.ok("tag", "other", "debian-demo")
    assert held.ok("run", "debian-demo", "echo", "back") == "back\n"


@pytest.mark.parametrize(
    ("options", "more"),
    [((), set()), (("--native",), set()), (("-it",), {"termios", "fcntl"})],
    ids=["plain", "alias", "terminal"],
)
def test_the_client_imports_little(
    held: Rootless, options: tuple[str, ...], more: set[str]
) -> None:
    """The import budget: of the standard library what is there at the start, and C modules."""
    warm(held, *options)
    command = held.command("run", *options, "debian-demo", "true")
    words = [sys.executable, "-X", "importtime", *command]
    environ = dict(held.home.environ)
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
    plain = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "pass"],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )

    def modules(text: str) -> set[str]:
        return {line.rpartition("|")[2].strip() for line in text.splitlines() if "|" in line}

    found = modules(done.stderr) - modules(plain.stderr)
    ours = {name for name in found if name.startswith("rootless")}
    assert "rootless.holder.client" in ours
    assert len(ours) <= 18, sorted(ours)
    assert found - ours <= {"_ctypes", "_socket", "select", "errno"} | more


def test_others_folders_are_not_trusted(held: Rootless) -> None:
    """Where others could have put a socket, none is used."""
    warm(held)
    held.home.runtime.chmod(0o770)
    result = with_holder(held, "")("--timings", "run", "debian-demo", "true")
    assert "client: told what to do" not in result.stderr
    held.home.runtime.chmod(0o700)
