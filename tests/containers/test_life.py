"""The life of a container in the background: run -d, create, start, stop, kill, wait, rm."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from executable import Rootless
from living import Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]
LOOP = "while :; do sleep 0.1; done"


def refused(rootless: Rootless, *words: str, says: str, status: int = 125) -> None:
    """Check that a command ends with one line that says something."""
    result = rootless(*words)
    assert (result.status, result.stderr.count("\n")) == (status, 1), result.stderr
    assert says in result.stderr


@pytest.mark.both_users
def test_a_whole_life(containers: Containers) -> None:
    """It runs when its ID is printed, keeps its files from start to start, and ends as told."""
    rootless = containers.rootless
    script = "test -e /kept && echo again; echo x >/kept; trap 'exit 3' TERM; " + LOOP
    container = containers.shell(script)
    (shown,) = containers.ps()
    assert (shown["Id"], shown["State"], shown["ExitCode"]) == (container, "running", 0)
    assert os.path.exists(f"/proc/{shown['Pid']}")
    assert rootless.ok("stop", container) == f"{container}\n"
    assert containers.ps() == []
    (shown,) = containers.ps("-a")
    assert (shown["State"], shown["ExitCode"], shown["Pid"]) == ("exited", 3, 0)
    assert rootless.ok("start", container) == f"{container}\n"
    assert containers.ps()[0]["State"] == "running"
    assert rootless.ok("stop", container[:12]) == f"{container[:12]}\n"
    assert rootless.ok("logs", container) == "again\n"
    assert rootless.ok("wait", container) == "3\n"
    assert rootless.ok("rm", container) == f"{container}\n"
    assert containers.ps("-a") == []
    assert not (rootless.home.store / "containers" / container).exists()


@pytest.mark.both_users
@pytest.mark.parametrize(("command", "status"), [("no-such-program", 127), ("/etc", 126)])
def test_what_cannot_run(containers: Containers, command: str, status: int) -> None:
    """The statuses are those of the foreground, the error is one line, and nothing runs."""
    rootless = containers.rootless
    words = ("run", "-d", "-l", containers.label, "debian-demo", command)
    refused(rootless, *words, says="command" if status == 127 else "cannot execute", status=status)
    (shown,) = containers.ps("-a")
    assert (shown["State"], shown["ExitCode"]) == ("exited", status)
    refused(
        rootless,
        *words[:2],
        "--rm",
        *words[2:],
        says="execute" if status == 126 else "not",
        status=status,
    )
    assert len(containers.ps("-a")) == 1


def test_rm_when_it_ends(containers: Containers, wait_until: WaitUntil) -> None:
    """With --rm nothing of it is left once it has ended; who waits learns its status."""
    container = containers.shell("read x; exit 4", "--rm", "-i")
    with containers.rootless.start("wait", container, stdout=-1) as waiting:
        time.sleep(0.3)
        containers.rootless("attach", container, stdin="\n")
        out, _ = waiting.communicate(timeout=20)
    assert out == b"4\n"
    wait_until(lambda: containers.ps("-a") == [])
    assert not (containers.rootless.home.store / "containers" / container).exists()


def test_stop_signal_timeout_and_force(containers: Containers) -> None:
    """`stop` sends the container's signal; who does not follow is killed after the time given."""
    rootless = containers.rootless
    polite = containers.shell(f"trap 'exit 5' USR1; {LOOP}", "--stop-signal", "USR1")
    rootless.ok("stop", polite)
    assert containers.state(polite)["ExitCode"] == 5
    stubborn = containers.shell(f"trap '' TERM; {LOOP}", "--stop-timeout", "1")
    began = time.monotonic()
    rootless.ok("stop", stubborn)
    assert 1 <= time.monotonic() - began < 8
    assert containers.state(stubborn)["ExitCode"] == 137
    rootless.ok("start", stubborn)
    rootless.ok("stop", "-t", "0", stubborn)
    rootless.ok("stop", stubborn)  # once more: it is stopped, which was asked for
    rootless.ok("start", stubborn, polite)
    rootless.ok(
        "exec", polite, "sh", "-c", "until grep -q '^SigCgt:.*2..$' /proc/2/status; do :; done"
    )
    for words in (("stop", "-s", "KILL", "-t", "30", stubborn), ("rm", "-t", "30", polite)):
        began = time.monotonic()
        rootless.ok(*words)
        assert time.monotonic() - began < 8
    assert [each["Id"] for each in containers.ps("-a")] == [stubborn]


def test_kill(containers: Containers, wait_until: WaitUntil) -> None:
    """Any signal reaches the workload, by name or number; SIGKILL is what is sent without one."""
    rootless = containers.rootless
    script = f"trap 'echo got' HUP; trap 'echo rt' 35; echo ready; {LOOP}"
    container = containers.shell(script)
    wait_until(lambda: rootless.ok("logs", container) == "ready\n")
    rootless.ok("kill", "-s", "SIGHUP", container)
    wait_until(lambda: rootless.ok("logs", container) == "ready\ngot\n")
    rootless.ok("kill", "-s", "35", container)
    wait_until(lambda: rootless.ok("logs", container) == "ready\ngot\nrt\n")
    rootless.ok("kill", container)
    assert rootless.ok("wait", container) == "137\n"
    refused(rootless, "kill", container, says="the container is not running")
    refused(rootless, "kill", "-s", "NOSUCH", container, says="no such signal: NOSUCH")


def test_wrong_use(containers: Containers) -> None:
    """Each verb says in one line what is wrong, and of several containers does the others."""
    rootless = containers.rootless
    running = containers.shell(LOOP, "--name", f"x{os.urandom(4).hex()}")
    for verb in ("start", "stop", "kill", "wait", "rm", "logs", "attach", "top", "port"):
        refused(rootless, verb, "no-such-one", says="no such container: no-such-one")
    refused(rootless, "rename", "no-such-one", "y", says="no such container: no-such-one")
    refused(rootless, "start", running, says="the container is running already")
    refused(rootless, "rm", running, says="the container is running")
    refused(rootless, "stop", says="which containers")
    refused(rootless, "rm", "-a", running, says="which containers")
    refused(rootless, "stop", "-t", "soon", running, says="--time takes seconds: soon")
    refused(rootless, "ps", "--filter", "colour=red", says="not a filter: colour=red")
    refused(rootless, "ps", "--format", "xml", says="no such format: xml")
    refused(rootless, "logs", "--tail", "x", running, says="--tail takes a number")
    refused(rootless, "logs", "--since", "x", running, says="not a point in time: x")
    refused(rootless, "run", "-d", "--rm", "--restart", "always", "debian-demo", says="exclude")
    refused(rootless, "run", "-d", "--restart", "often", "debian-demo", says="not a restart policy")
    refused(
        rootless, "run", "-d", "--log-opt", "max-file=0", "debian-demo", says="not a log option"
    )
    made = containers.create("true")
    refused(rootless, "wait", made, says="has never been started")
    result = rootless("rm", "no-such-one", made)
    assert (result.status, result.stdout) == (125, f"{made}\n")


def test_names(containers: Containers) -> None:
    """A name is one container's; without one two words are made up; it can be changed."""
    rootless = containers.rootless
    name, other = (f"n{os.urandom(4).hex()}" for _ in range(2))
    first = containers.shell(LOOP, "--name", name)
    refused(rootless, "create", "--name", name, "debian-demo", says="the name is in use")
    rootless.ok("rename", name, other)
    assert rootless.ok("ps", "-q", "--no-trunc", "--filter", f"name={other}").strip() == first
    second = containers.create("true", options=("--name", name))
    refused(rootless, "rename", other, name, says="the name is in use")
    refused(rootless, "rename", other, "-x", says="")
    unnamed = containers.create("true")
    by_id = {each["Id"]: each["Names"][0] for each in containers.ps("-a")}
    assert by_id[second] == name
    assert by_id[unnamed].count("_") == 1
    rootless.ok("rm", "-f", other, by_id[unnamed], second)


def test_files_for_scripts(containers: Containers, tmp_path: Path) -> None:
    """--cidfile is a new file with the ID, --pidfile has the workload's process ID."""
    rootless = containers.rootless
    cidfile, pidfile = tmp_path / "cid", tmp_path / "pid"
    options = ("--cidfile", str(cidfile), "--pidfile", str(pidfile))
    container = containers.shell(LOOP, *options)
    assert cidfile.read_text() == container
    assert int(pidfile.read_text()) == containers.state(container)["Pid"]
    command = Path(f"/proc/{pidfile.read_text()}/cmdline").read_bytes()
    assert command.startswith(b"sh\0-c\0")
    words = ("run", "-d", *options, "debian-demo", "true")
    refused(rootless, *words, says="the file for the container's ID is there already")
    assert len(containers.ps("-a")) == 1


def test_ps(containers: Containers) -> None:
    """Filters of one key are alternatives, but for labels; of several all hold; newest first."""
    rootless = containers.rootless
    one = containers.shell("exit 3", "-l", "a=1")
    rootless.ok("wait", one)
    two = containers.shell(LOOP, "-l", "a=2", "-l", "b")
    ids = {each["Id"] for each in containers.ps("-a")}
    assert ids == {one, two}

    def found(*filters: str) -> list[str]:
        words = [word for each in filters for word in ("--filter", each)]
        return [each["Id"] for each in containers.ps("-a", *words)]

    assert found("label=a") == [two, one]
    assert found("label=a=1") == [one]
    assert found("status=exited", "label=a") == [one]
    assert found("exited=3") == [one]
    assert found("exited=0") == []
    assert found(f"id={two[:6]}") == [two]
    assert found("ancestor=debian-demo") == [two, one]
    assert found("ancestor=other") == []
    assert found("status=running", "status=exited") == [two, one]
    assert [each["Id"] for each in containers.ps("-n", "1")] == [two]
    (line,) = [
        line
        for line in rootless.ok("ps", "--filter", f"label={containers.label}").splitlines()
        if line.startswith(two[:12])
    ]
    assert "localhost/debian-demo:latest" in line
    assert "Up " in line
    assert two in rootless.ok("ps", "--no-trunc", "--filter", f"label={containers.label}")


def test_one_in_the_foreground(demo: Rootless, wait_until: WaitUntil) -> None:
    """It is listed with its state, takes signals, has no log, and leaves nothing."""
    label = f"test={os.urandom(6).hex()}"

    def listed() -> list[dict[str, object]]:
        words = ("ps", "-a", "--format", "json", "--filter", f"label={label}")
        return json.loads(demo.ok(*words))  # type: ignore[no-any-return]

    words = ("run", "-l", label, "debian-demo", "sh", "-c", f"trap 'exit 6' TERM; {LOOP}")
    with demo.start(*words) as process:
        wait_until(lambda: [each["State"] for each in listed()] == ["running"])
        container = str(listed()[0]["Id"])
        refused(demo, "rm", container, says="the container is running")
        refused(demo, "logs", container, says="runs in the foreground and has no log")
        refused(demo, "attach", container, says="runs in the foreground of another command")
        assert demo.ok("exec", container, "echo", "hi") == "hi\n"
        demo.ok("stop", container)
        assert process.wait(10) == 6
    assert listed() == []
    with demo.start(*words[:-1], LOOP) as process:
        wait_until(lambda: [each["State"] for each in listed()] == ["running"])
        demo.ok("rm", "-f", str(listed()[0]["Id"]))
        assert process.wait(10) == 137
    assert listed() == []


def test_prune(containers: Containers) -> None:
    """What does not run goes, what runs stays."""
    ended = containers.create("true")
    running = containers.shell(LOOP)
    removed = containers.rootless.ok("prune", "--filter", f"label={containers.label}").split()
    assert removed == [ended]
    assert [each["Id"] for each in containers.ps("-a")] == [running]


def test_another_session(containers: Containers, tmp_path: Path) -> None:
    """With another XDG_RUNTIME_DIR, as after su, one sees, uses and ends the same containers."""
    container = containers.shell(LOOP)
    (tmp_path / "other").mkdir(mode=0o700)
    env = {"XDG_RUNTIME_DIR": str(tmp_path / "other")}
    rootless = containers.rootless
    assert rootless.ok("ps", "-q", "--no-trunc", env=env).split() == [container]
    assert rootless.ok("exec", container, "echo", "in", env=env) == "in\n"
    for words in (("start",), ("rm",)):
        result = rootless(*words, container, env=env)
        assert (result.status, "is running" in result.stderr) == (125, True)
    rootless.ok("stop", "-t", "0", container, env=env)
    assert containers.state(container)["Status"] == "exited"
    rootless.ok("start", container, env=env)
    assert containers.state(container)["Status"] == "running"


def test_files_are_not_removed_below_what_is_not_seen(containers: Containers) -> None:
    """On another host, or where the note of its run does not tell: rm wants -f, prune stays off."""
    container = containers.shell(LOOP)
    rootless = containers.rootless
    note = rootless.home.store / "containers" / container / "last-run.json"
    running = json.loads(note.read_text())
    runs = rootless.home.runtime / "runs"
    runs.rename(runs.with_name("hidden"))
    try:
        for changes, says in (
            ({"folder": ""}, "something that is not seen from here uses the container's files"),
            ({"host": "far.example"}, "the container may be running on far.example"),
        ):
            note.write_text(json.dumps(running | changes))
            result = rootless("rm", container)
            assert (result.status, says in result.stderr) == (125, True), result.stderr
        assert container not in rootless.ok("prune")
    finally:
        if runs.exists():
            runs.rmdir()
        runs.with_name("hidden").rename(runs)
        note.write_text(json.dumps(running))


def test_top(containers: Containers, wait_until: WaitUntil) -> None:
    """The processes inside, with the IDs that they have there; also those of `exec`."""
    rootless = containers.rootless
    container = containers.shell("sleep 611 & exec sleep 622", "--user", "daemon")
    rootless.ok("exec", "-d", container, "sleep", "633")
    wait_until(lambda: rootless.ok("top", container).count("sleep") == 3)
    header, *rows = rootless.ok("top", container).splitlines()
    assert header.split() == ["USER", "PID", "PPID", "ELAPSED", "TIME", "COMMAND"]
    by_command = {row.split(None, 5)[5]: row.split()[:3] for row in rows}
    assert by_command["sleep 622"] == ["1", "2", "1"]
    assert by_command["sleep 611"][2] == "2"
    assert by_command["sleep 633"][2] == "0"


def test_an_image_that_goes(rootless: Rootless, demo_image: str) -> None:
    """`rmi` of a container's image leaves what the container stands on, until it goes as well."""
    rootless.ok("load", "-q", demo_image.rpartition(":")[0], timeout=300)
    container = rootless.ok("create", "debian-demo", "echo", "still here").strip()
    rootless.ok("rmi", "debian-demo")
    try:
        assert rootless.ok("start", "-a", container) == "still here\n"
    finally:
        rootless.ok("rm", "-f", container)
    rootless.ok("load", "-q", demo_image.rpartition(":")[0], timeout=300)
