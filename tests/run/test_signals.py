"""Signals: what the caller sends to `rootless run`, and what processes inside see."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from executable import Rootless
from run_processes import Processes, descendants, is_alive

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]

FORWARDED = ("HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "CONT")


@contextmanager
def running(
    rootless: Rootless, *words: str, **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `rootless run debian-demo WORDS` and wait for the word `ready` from it."""
    process = rootless.start(
        "run", "debian-demo", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    """Return the status and what was still said."""
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@pytest.mark.both_users
@pytest.mark.parametrize("name", FORWARDED)
def test_is_forwarded(demo: Rootless, name: str) -> None:
    """A signal to the command line reaches the workload, whose handler runs."""
    script = f"trap 'echo got {name}; exit 5' {name}; echo ready; while :; do sleep 0.1; done"
    with running(demo, "sh", "-c", script) as process:
        process.send_signal(signal.Signals[f"SIG{name}"])
        assert ended(process)[:2] == (5, f"got {name}\n".encode())


@pytest.mark.parametrize("name", ["HUP", "INT", "TERM", "USR1"])
def test_ends_a_plain_command(demo: Rootless, name: str) -> None:
    """A command without handlers is ended by it; the status is 128+N and nothing is said."""
    number = signal.Signals[f"SIG{name}"]
    with running(demo, "sh", "-c", "echo ready; exec sleep 600") as process:
        Processes.when_running(process.pid, "sleep")
        process.send_signal(number)
        assert ended(process) == (128 + number, b"", b"")


def test_two_interrupts(demo: Rootless) -> None:
    """Each of two SIGINTs arrives: a command may take the first as a question."""
    script = (
        "import os, signal, sys, time\n"
        "came = []\n"
        "signal.signal(signal.SIGINT, lambda *_: came.append(os.write(1, b'once\\n')))\n"
        "os.write(1, b'ready\\n')\n"  # a buffer must not be entered twice
        "while len(came) < 2: time.sleep(0.05)\n"
        "sys.exit(9)\n"
    )
    with running(demo, "python3", "-c", script) as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"once\n"
        process.send_signal(signal.SIGINT)
        assert ended(process) == (9, b"once\n", b"")


def test_an_interrupt_reaches_the_whole_job(demo: Rootless) -> None:
    """SIGINT goes to the workload's process group, as a terminal would send it."""
    child = 'trap "echo child; exit 7" INT; echo ready; while :; do sleep 0.1; done'
    script = f"trap 'echo shell' INT; sh -c '{child}'"
    with running(demo, "sh", "-c", script) as process:
        process.send_signal(signal.SIGINT)
        status, out, _ = ended(process)
    assert status == 7
    assert sorted(out.split()) == [b"child", b"shell"]


def test_a_workload_may_ignore(demo: Rootless) -> None:
    """A workload that ignores SIGTERM goes on; SIGKILL of its PID 1 ends it with 137."""
    script = "trap '' TERM; trap 'echo here' USR1; echo ready; while :; do sleep 0.1; done"
    with running(demo, "sh", "-c", script) as process:
        assert process.stdout is not None
        process.terminate()
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == b"here\n"
        os.kill(Processes.of(process.pid).init, signal.SIGKILL)
        assert ended(process)[0] == 137


def test_hang_up_is_ignored_under_nohup(demo: Rootless) -> None:
    """nohup(1) stays in force: a SIGHUP to the command line does nothing."""
    line = "trap '' HUP; exec " + " ".join(
        demo.command("run", "debian-demo", "sh", "-c", "'echo ready; sleep 0.5; exit 6'")
    )
    process = subprocess.Popen(
        ["sh", "-c", line], env=dict(demo.home.environ), stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 6


def test_stop_and_continue(demo: Rootless, wait_until: WaitUntil) -> None:
    """SIGTSTP stops workload and command line, SIGCONT resumes both."""

    def states() -> set[str]:
        found = Processes.of(process.pid)
        stats = (Path(f"/proc/{pid}/stat") for pid in (process.pid, found.workload))
        return {stat.read_text().rpartition(")")[2].split()[0] for stat in stats}

    with running(demo, "sh", "-c", "echo ready; exec sleep 600") as process:
        Processes.when_running(process.pid, "sleep")
        process.send_signal(signal.SIGTSTP)
        wait_until(lambda: states() == {"T"})
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: states() == {"S"})
        process.terminate()
        assert ended(process)[0] == 143


@pytest.mark.both_users
def test_orphans_are_reaped(demo: Rootless) -> None:
    """PID 1 reaps what others left to it: no zombie stays inside."""
    script = (
        "import os, time\n"
        "for _ in range(50):\n"
        "    if os.fork() == 0:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(0.05)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "def others():\n"
        "    pids = [n for n in os.listdir('/proc') if n.isdigit()]\n"
        "    return [n for n in pids if n not in ('1', str(os.getpid()))]\n"
        "end = time.monotonic() + 10\n"
        "while others() and time.monotonic() < end: time.sleep(0.01)\n"
        "print(others(), open('/proc/1/comm').read().strip())\n"
    )
    assert demo.ok("run", "debian-demo", "python3", "-c", script) == "[] rootless-init\n"


def test_the_end_of_the_workload_ends_all(demo: Rootless, wait_until: WaitUntil) -> None:
    """What the workload left running in the background ends with it, signals ignored or not."""
    background = "(trap '' HUP TERM; exec sleep 600) & setsid sleep 600 &"
    script = f"trap 'exit 4' USR1; {background} echo ready; while :; do sleep 0.1; done"
    with running(demo, "sh", "-c", script) as process:
        found = Processes.of(process.pid)
        inside = [*descendants(found.init), *descendants(found.workload)]
        assert len(inside) >= 4
        process.send_signal(signal.SIGUSR1)
        assert ended(process)[0] == 4
        wait_until(lambda: not any(map(is_alive, inside)))


def test_signals_inside_are_as_from_a_shell(demo: Rootless) -> None:
    """The workload starts with no signal blocked or ignored, whatever its runner had set."""
    said = demo.ok(
        "run", "debian-demo", "grep", "-E", "Sig(Blk|Ign|Pnd)|ShdPnd", "/proc/self/status"
    )
    assert {line.split()[1] for line in said.splitlines()} == {"0" * 16}


class TestDuringSetUp:
    """Signals before the workload runs."""

    @pytest.mark.parametrize("delay_ms", range(0, 400, 50))
    def test_leaves_nothing(
        self, demo_alone: Rootless, delay_ms: int, wait_until: WaitUntil
    ) -> None:
        """SIGTERM at any moment of the set-up ends the run as SIGTERM does, and leaves no file."""
        process = demo_alone.start(
            "run", "debian-demo", "sleep", "600", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with process:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(delay_ms / 1000 + 0.001)
            all_of_it = descendants(process.pid)
            process.terminate()
            status, _, err = ended(process)
        assert status in (143, -signal.SIGTERM)  # the second before it has handlers
        assert err == b""
        wait_until(lambda: not any(map(is_alive, all_of_it)))
        if status == 143:
            assert files_of(demo_alone) == []

    def test_an_interrupt_shows_no_traceback(
        self, demo_alone: Rootless, wait_until: WaitUntil
    ) -> None:
        """Ctrl-C at any moment after the first steps gives 130, and nothing is said."""
        runs = demo_alone.home.runtime / "runs"
        for delay_ms in range(0, 200, 20):
            process = demo_alone.start(
                "run", "debian-demo", "sleep", "600", stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            with process:
                wait_until(lambda: runs.exists() and any(runs.iterdir()))
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(delay_ms / 1000 + 0.001)
                process.send_signal(signal.SIGINT)
                assert ended(process) == (130, b"", b""), delay_ms


def files_of(rootless: Rootless) -> list[str]:
    """Return the files of runs, in the run-time and the scratch folder."""
    folders = (rootless.home.runtime / "runs", rootless.home.path / "scratch")
    return [str(path) for folder in folders if folder.exists() for path in folder.iterdir()]


class TestSurroundings:
    """A caller whose surroundings lack something."""

    def run(self, rootless: Rootless, before: str, *words: str) -> tuple[int, str, str]:
        """Run a command of `debian-demo` from a shell, after shell commands `before`."""
        command = " ".join(rootless.command("run", "debian-demo", *words))
        done = subprocess.run(
            ["bash", "-c", before.replace("RUN", command)],
            env=dict(rootless.home.environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("RUN <&-", "hello\n"),
            ("RUN >&-", ""),
            ("RUN 2>&-", "hello\n"),
            ("RUN <&- >&- 2>&-", ""),
        ],
    )
    def test_closed_streams(self, demo: Rootless, line: str, said: str) -> None:
        """A standard stream that is closed is /dev/null: no other file gets its number."""
        assert self.run(demo, line, "echo", "hello") == (0, said, "")

    def test_without_a_terminal(self, demo: Rootless) -> None:
        """A session without a terminal runs `-t` as well, at a size of nothing."""
        words = ("run", "-t", "debian-demo", "sh", "-c", "tty; stty size")
        process = demo.start(
            *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, b"/dev/pts/0\r\n0 0\r\n")

    def test_few_processes(self, demo: Rootless) -> None:
        """A limit on processes that is reached is one line that names it."""
        status, _, err = self.run(demo, "ulimit -u 1; exec RUN", "true")
        assert (status, err.count("\n")) == (125, 1)
        assert "ulimit -u" in err

    @pytest.mark.parametrize("most", [5, 6, 8, 10, 12, 14, 16])
    def test_few_open_files(self, demo: Rootless, most: int) -> None:
        """A limit on open files that is reached is one line that names it."""
        status, _, err = self.run(demo, f"ulimit -n {most}; exec RUN", "true")
        assert (status, err.count("\n")) == (125, 1)
        assert "ulimit -n" in err

    def test_a_limit_on_open_files_that_suffices(self, demo: Rootless) -> None:
        """A run needs no more than two dozen open files."""
        assert self.run(demo, "ulimit -n 24; exec RUN", "true") == (0, "", "")
