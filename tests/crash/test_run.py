"""What remains of a run after kill -9, and what a run says that lacks something."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

import leaks
import pytest
from executable import Rootless
from run_processes import Processes, descendants, is_alive, kill, with_word

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]

VICTIMS = ("command_line", "supervisor", "server", "init", "workload")
_SLEEP = ("sleep", "600")


def start(rootless: Rootless, *words: str) -> subprocess.Popen[bytes]:
    """Start `rootless run WORDS` with its output in pipes."""
    return rootless.start("run", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Wait for its end; return the status and what it said on standard error."""
    _, err = process.communicate(timeout=20)
    return process.returncode, err.decode()


def files_of(rootless: Rootless) -> list[str]:
    """Return the files of runs, in the run-time and the scratch folder."""
    folders = (rootless.home.runtime / "runs", rootless.home.path / "scratch")
    return [str(path) for folder in folders if folder.exists() for path in folder.iterdir()]


def mounts_of(rootless: Rootless) -> list[str]:
    """Return the mounts below these folders, in whatever namespace that lives."""
    return [m for m in leaks.mounts_of_all_namespaces() if str(rootless.home.path) in m]


def assert_nothing_is_left(
    rootless: Rootless, processes: Sequence[int], wait_until: WaitUntil
) -> None:
    """Check that processes and mounts go by themselves, and files with the next command."""
    wait_until(lambda: not any(map(is_alive, processes)))
    wait_until(lambda: not mounts_of(rootless))
    assert rootless.ok("run", "debian-demo", "echo", "next") == "next\n"
    assert files_of(rootless) == []


class TestKill:
    """kill -9 of each process of a run."""

    @pytest.mark.both_users
    @pytest.mark.parametrize("victim", VICTIMS)
    def test_leaves_nothing(
        self, demo_alone: Rootless, driver: str, victim: str, wait_until: WaitUntil
    ) -> None:
        """Whoever is killed, the others end, and files go with the next command at the latest."""
        words = (
            "--overlay-driver",
            driver,
            "debian-demo",
            "sh",
            "-c",
            "echo x >/new; exec sleep 600",
        )
        with start(demo_alone, *words) as process:
            found = Processes.when_running(process.pid, "sleep")
            all_of_it = descendants(process.pid)
            assert len(all_of_it) >= 5
            assert mounts_of(demo_alone)
            kill(getattr(found, victim))
            if victim == "server":
                time.sleep(0.3)  # what the supervisor sees first is what it tells
                process.terminate()  # the workload may do without its files
            status, said = ended(process)
        expected = {"command_line": -9, "supervisor": 125, "server": 143}
        assert status == expected.get(victim, 137)
        if victim == "supervisor":
            assert said == "rootless: the run was cut off: its supervisor was killed: SIGKILL\n"
        elif victim == "server":
            assert said.startswith("rootless: the FUSE server ended")
            assert said.count("\n") == 1
        else:
            assert said == ""
        assert_nothing_is_left(demo_alone, all_of_it, wait_until)

    def test_both_ends_at_once(self, demo_alone: Rootless, wait_until: WaitUntil) -> None:
        """With command line and supervisor killed together the rest ends by itself."""
        with start(demo_alone, "debian-demo", *_SLEEP) as process:
            found = Processes.when_running(process.pid, "sleep")
            all_of_it = descendants(process.pid)
            kill(found.supervisor)
            kill(found.command_line)
            ended(process)
        assert_nothing_is_left(demo_alone, all_of_it, wait_until)

    @pytest.mark.slow
    def test_at_any_moment(self, demo_alone: Rootless, wait_until: WaitUntil) -> None:
        """A kill at a random moment of start or end, of a random process, leaves nothing."""
        chance = random.Random(20)
        deadline = time.monotonic() + 35
        for round_ in range(40):
            if time.monotonic() > deadline:
                break
            word = f"600.{round_}{os.getpid()}"
            driver = ("hybrid", "fuse")[round_ % 2]
            with start(
                demo_alone, "--overlay-driver", driver, "debian-demo", "sleep", word
            ) as process:
                time.sleep(chance.uniform(0, 0.3))
                all_of_it = descendants(process.pid)
                kill(chance.choice(all_of_it))
                wait_for_end_or_term(process)
            wait_until(lambda: not with_word(word))  # noqa: B023 - called at once
            wait_until(lambda: not any(map(is_alive, all_of_it)))  # noqa: B023
        assert_nothing_is_left(demo_alone, [], wait_until)


def wait_for_end_or_term(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a run whose victim was essential; else end it."""
    try:
        process.wait(0.3)
    except subprocess.TimeoutExpired:
        process.terminate()
    status, said = ended(process)
    assert status != 0
    assert said.count("\n") <= 2, said
    assert "Traceback" not in said


class TestServerDies:
    """The FUSE server is killed while the workload uses it."""

    def test_the_workload_gets_errors(self, demo_alone: Rootless, driver: str) -> None:
        """Reading files fails at once, the command line says why, nothing hangs.

        A page of its own program that the workload had not read yet is a SIGBUS, as on any disk.
        """
        script = (
            'look() { read line <$1; echo "status=$?"; }; look /etc/hostname; look /missing 2>&1; '
            "echo ready; read line; look /usr/share/common-licenses/GPL-3"
        )
        command = ("-i", "--overlay-driver", driver, "debian-demo", "sh", "-c", script)
        process = demo_alone.start(
            "run",
            *command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            assert process.stdout is not None
            assert process.stdin is not None
            assert process.stderr is not None
            while process.stdout.readline() != b"ready\n":
                continue
            kill(Processes.of(process.pid).server)
            assert b"the FUSE server ended" in process.stderr.readline()
            out, err = process.communicate(b"\n", timeout=10)
        if process.returncode == 0:
            assert out == b"status=2\n"
            assert b"not connected" in err or b"Input/output error" in err
        else:
            assert (process.returncode, out) == (128 + signal.SIGBUS, b"")

    def test_while_it_is_read(self, demo_alone: Rootless, driver: str) -> None:
        """A workload that is in the middle of a request when the server dies does not hang."""
        script = "while find / -xdev -type f -exec cat {} + >/dev/null 2>&1; do :; done; exit 9"
        with start(
            demo_alone, "--overlay-driver", driver, "debian-demo", "sh", "-c", script
        ) as process:
            found = Processes.when_running(process.pid, "sh")
            time.sleep(0.3)
            kill(found.server)
            status, said = ended(process)
        assert status == 9
        assert said.count("\n") <= 1  # none where all had ended before the server's end was known


class TestTwoAtOnce:
    """Two runs at once."""

    def test_do_not_disturb_each_other(self, demo_alone: Rootless) -> None:
        """Runs that start at the same moment sweep nothing of each other's."""
        for _ in range(3):
            running = [start(demo_alone, "debian-demo", "sh", "-c", "echo x >/x") for _ in range(4)]
            for process in running:
                with process:
                    assert ended(process) == (0, "")
        assert files_of(demo_alone) == []

    def test_of_one_name(self, demo_alone: Rootless) -> None:
        """The second run of a name that runs is refused with one line."""
        name = f"two-{os.getpid()}"
        with start(demo_alone, "--name", name, "debian-demo", *_SLEEP) as process:
            Processes.when_running(process.pid, "sleep")
            result = demo_alone("run", "--name", name, "debian-demo", "true")
            assert (result.status, result.stderr.count("\n")) == (125, 1)
            assert "the container is running" in result.stderr
            process.terminate()
            assert ended(process)[0] == 143
        demo_alone.ok("rm", name)

    def test_a_name_is_free_after_a_kill(self, demo_alone: Rootless) -> None:
        """After kill -9 a named container goes on from what it had written."""
        name = f"killed-{os.getpid()}"
        script = "echo kept >/kept; exec sleep 600"
        with start(demo_alone, "--name", name, "debian-demo", "sh", "-c", script) as process:
            found = Processes.when_running(process.pid, "sleep")
            kill(found.supervisor)
            ended(process)
        assert demo_alone.ok("run", "--name", name, "debian-demo", "cat", "/kept") == "kept\n"
        demo_alone.ok("rm", name)
