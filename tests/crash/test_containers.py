"""kill -9 of what a container in the background consists of, two commands at once, a full disk."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import leaks
import pytest
from executable import Rootless
from living import LOOP, Containers
from run_processes import descendants, is_alive, kill, with_word

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]


@pytest.fixture
def containers(demo: Rootless) -> Containers:
    """Give a way to start some; each test removes its own."""
    return Containers(demo)


def gone(rootless: Rootless, container: str) -> bool:
    """Tell whether no mount of a container is left in any namespace, and no folder of its run."""
    mounts = [line for line in leaks.mounts_of_all_namespaces() if container in line]
    return not mounts and not (rootless.home.runtime / "runs" / container).exists()


@pytest.mark.both_users
@pytest.mark.parametrize("victim", ["ConmonPid", "supervisor", "InitPid", "Pid"])
def test_kill_of_each_process(containers: Containers, victim: str, wait_until: WaitUntil) -> None:
    """Everything of it ends, ps tells the truth, it starts again and is removed."""
    rootless = containers.rootless
    container = containers.shell(f"echo x >>/kept; {LOOP}")
    state = containers.state(container)
    all_of_it = descendants(state["ConmonPid"])
    assert len(all_of_it) >= 5
    (supervisor,) = [pid for pid in all_of_it if state["InitPid"] in descendants(pid)][1:2]
    kill(supervisor if victim == "supervisor" else state[victim])
    wait_until(lambda: not any(map(is_alive, all_of_it)))
    wait_until(lambda: containers.state(container)["Status"] == "exited")
    ended = containers.state(container)
    assert ended["ExitCode"] == (125 if victim == "supervisor" else 137)
    assert ("monitor was killed" in ended["Error"]) == (victim == "ConmonPid")
    assert ("supervisor was killed" in ended["Error"]) == (victim == "supervisor")
    rootless.ok("start", container)
    assert rootless.ok("exec", container, "cat", "/kept") == "x\nx\n"
    rootless.ok("rm", "-f", container)
    wait_until(lambda: gone(rootless, container))


def test_at_any_moment(containers: Containers, wait_until: WaitUntil) -> None:
    """A kill of any process at any moment of start, life and end: ps is right, rm -f works.

    ROOTLESS_KILL_ROUNDS says how often.
    """
    rootless = containers.rootless
    chance = random.Random(20)
    for round_ in range(int(os.environ.get("ROOTLESS_KILL_ROUNDS") or "6")):
        word = f"600.{round_}{os.getpid()}"
        words = ("run", "-d", "-l", containers.label, "debian-demo", "sleep", word)
        with rootless.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(chance.uniform(0, 1.2))
            mine = _processes_of(rootless, process.pid)
            kill(chance.choice(mine))
            process.communicate(timeout=30)
        for each in containers.ps("-a"):
            name = str(each["Id"])
            if each["State"] == "running":  # or it was, a moment ago
                wait_until(lambda: _is_true(containers, name))  # noqa: B023 - called at once
            rootless.ok("rm", "-f", name)
        wait_until(lambda: not with_word(word))  # noqa: B023 - called at once
        assert containers.ps("-a") == []
    assert leaks.mounts_of_all_namespaces() & {str(rootless.home.path)} == set()


def _is_true(containers: Containers, name: str) -> bool:
    """Tell whether what `ps` says of a container is so."""
    found = {str(each["Id"]): each for each in containers.ps("-a")}.get(name)
    return found is None or found["State"] != "running" or is_alive(int(str(found["Pid"])))


def _processes_of(rootless: Rootless, command_line: int) -> list[int]:
    """Return the command line and what it has started, which has a session of its own."""
    found = descendants(command_line)
    marked = str(rootless.home.path).encode()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in found:
            try:
                command = Path(f"/proc/{name}/cmdline").read_bytes()
                environ = Path(f"/proc/{name}/environ").read_bytes()
            except OSError:
                continue
            if b"rootless.containers.monitor" in command and marked in environ:
                found.extend(descendants(int(name)))
    return found


class TestTwoAtOnce:
    """Of two commands that exclude each other one succeeds, the other says why not."""

    def _both(self, rootless: Rootless, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        running = [rootless.start(*words, **pipes) for words in commands]
        said = [process.communicate(timeout=60)[1].decode() for process in running]
        return [(p.returncode, text) for p, text in zip(running, said, strict=True)]

    def test_starts(self, containers: Containers) -> None:
        """One starts it."""
        made = containers.create("sleep", "600")
        results = self._both(containers.rootless, ("start", made), ("start", made))
        assert sorted(status for status, _ in results) == [0, 125]
        (text,) = [text for status, text in results if status]
        assert text.count("\n") == 1
        assert "the container is running already" in text
        containers.remove_all()

    def test_removals(self, containers: Containers) -> None:
        """One removes it, for the other it is not there."""
        made = containers.create("true")
        results = self._both(containers.rootless, ("rm", made), ("rm", made))
        assert sorted(status for status, _ in results) == [0, 125]
        (text,) = [text for status, text in results if status]
        assert "no such container" in text

    def test_a_start_and_a_removal(self, containers: Containers) -> None:
        """Either it runs and is not removed, or it is removed and does not run."""
        made = containers.create("sleep", "600")
        (started, one), (removed, other) = self._both(
            containers.rootless, ("start", made), ("rm", made)
        )
        assert sorted((started, removed)) == [0, 125]
        assert (one + other).count("\n") == 1
        assert [each["State"] for each in containers.ps("-a")] == (
            ["running"] if started == 0 else []
        )
        containers.remove_all()

    def test_names(self, containers: Containers) -> None:
        """One gets the name."""
        name = f"n{os.urandom(4).hex()}"
        words = ("create", "-l", containers.label, "--name", name, "debian-demo", "true")
        results = self._both(containers.rootless, words, words)
        assert sorted(status for status, _ in results) == [0, 125]
        assert len(containers.ps("-a")) == 1
        containers.remove_all()


def test_the_starting_command_is_interrupted(containers: Containers, wait_until: WaitUntil) -> None:
    """Ctrl-C before it runs ends what was begun."""
    rootless = containers.rootless
    words = ("run", "-d", "-l", containers.label, "debian-demo", "sleep", "600")
    with rootless.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until(lambda: len(_processes_of(rootless, process.pid)) > 1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    if process.returncode == 0:  # it was there already
        assert len(out) == 65
    else:
        assert (process.returncode, out, err.count(b"\n")) == (130, b"", 0)
        wait_until(lambda: all(each["State"] == "exited" for each in containers.ps("-a")))
    containers.remove_all()


def test_a_store_that_takes_no_note_of_the_run(containers: Containers) -> None:
    """A container whose run cannot be noted is not started; the line tells the way out."""
    container = containers.create("true")
    folder = containers.rootless.home.store / "containers" / container
    folder.chmod(0o500)
    try:
        result = containers.rootless("start", container)
    finally:
        folder.chmod(0o700)
    assert result.status == 125
    assert "set ROOTLESS_HOME" in result.stderr
    assert container in result.stderr
    containers.remove_all()


_FULL_DISK = """
mkdir -p "$ROOTLESS_HOME/containers"
mount -t tmpfs -o size=256k x "$ROOTLESS_HOME/containers"
script='i=0; while [ $i -lt 9000 ]; do echo line $i of many that fill the disk; i=$((i+1)); done
while :; do sleep 0.1; done'
id=$(rootless run -d debian-demo sh -c "$script")
until [ -n "$(rootless inspect -f .State.LogError "$id")" ]; do sleep 0.2; done
rootless inspect -f .State.LogError "$id"
rootless exec "$id" echo still here
rootless logs --tail 1 "$id" >/dev/null
rootless stop -t 0 "$id" >/dev/null
rootless inspect -f .State.Status "$id"
rootless inspect -f .State.ExitCode "$id"
rootless rm "$id" >/dev/null
ls -A "$ROOTLESS_HOME/containers"
"""


@pytest.mark.both_users
def test_a_full_disk_for_the_log(demo_alone: Rootless) -> None:
    """The container goes on, its end is known, and who reads the log is told."""
    environ = demo_alone.home.environ
    folder = os.path.dirname(demo_alone.executable)
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-ec", _FULL_DISK],
        env={**environ, "PATH": f"{folder}:{environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = "No space left on device"
    assert done.stdout == f"{said}\nstill here\nexited\n137\n", done.stderr
    assert done.stderr == f"rootless: some of its output is not in the log: {said}\n"
