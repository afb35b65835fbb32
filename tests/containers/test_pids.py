"""Containers among the processes of others: `--pid container:NAME` and `--pid host`."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from living import LOOP, Containers
from run_processes import is_alive, parent_of, with_word

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.both_users]

Wait = Callable[[Callable[[], bool]], None]
_NAMESPACE = ("readlink", "/proc/self/ns/pid")


def _seconds() -> str:
    """Return an argument of sleep(1) that no other process has."""
    return str(100000 + int.from_bytes(os.urandom(3)))


def _signal(number: str, words: str) -> tuple[str, str, str]:
    """Return a command that signals whose arguments begin so, as the container sees them."""
    is_it = f"tr '\\0' ' ' <$p/cmdline | grep -q '^{words}'"
    return "sh", "-c", f"for p in /proc/[0-9]*; do {is_it} && kill -{number} ${{p#/proc/}}; done; :"


def test_two_see_each_other(containers: Containers, wait_until: Wait) -> None:
    """They have one PID namespace, each sees the other's processes and can signal them."""
    rootless = containers.rootless
    one = containers.shell(f"trap 'echo told' USR1; {LOOP}")
    seconds = _seconds()
    other = containers.run("sleep", seconds, options=("--pid", f"container:{one}"))
    assert rootless.ok("exec", one, *_NAMESPACE) == rootless.ok("exec", other, *_NAMESPACE)
    rootless.ok("exec", other, *_signal("USR1", "sh -c trap"))
    wait_until(lambda: "told" in rootless.ok("logs", one))
    rootless.ok("exec", one, *_signal("TERM", f"sleep {seconds}"))
    assert rootless.ok("wait", other).strip() == str(128 + signal.SIGTERM)
    assert containers.state(one)["Status"] == "running"


def test_as_in_a_pod(containers: Containers) -> None:
    """Network and processes of one container can both be joined; `inspect` and `top` tell."""
    rootless = containers.rootless
    one = containers.shell(LOOP, "--network", "none")
    both = ("--network", f"container:{one}", "--pid", f"container:{one}")
    seconds = _seconds()
    other = containers.run("sleep", seconds, options=both)
    for kind in ("net", "pid", "user"):
        link = ("readlink", f"/proc/self/ns/{kind}")
        assert rootless.ok("exec", one, *link) == rootless.ok("exec", other, *link)
    shown = rootless.ok("inspect", "-f", ".HostConfig.PidMode", other)
    assert f"container:{one}" in shown
    assert f"sleep {seconds}" in rootless.ok("top", other)
    third = containers.run("sleep", seconds, options=("--pid", f"container:{other}"))
    assert rootless.ok("exec", third, *_NAMESPACE) == rootless.ok("exec", one, *_NAMESPACE)


def test_two_user_namespaces(containers: Containers) -> None:
    """Network and processes of two containers that have nothing in common cannot be joined."""
    one, two = (containers.shell(LOOP, "--network", "none") for _ in range(2))
    words = ("--network", f"container:{one}", "--pid", f"container:{two}")
    result = containers.rootless("run", *words, "debian-demo", "true")
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "belongs to two user namespaces" in result.stderr


def test_stop_and_start(containers: Containers) -> None:
    """It is the other's as it is at each start; the other's end ends it, and it can be removed."""
    rootless = containers.rootless
    one = containers.shell(LOOP)
    script = f"readlink /proc/self/ns/pid; {LOOP}"
    other = containers.shell(script, "--pid", f"container:{one}")
    first = rootless.ok("exec", one, *_NAMESPACE)
    rootless.ok("stop", "-t", "0", other)
    assert containers.state(one)["Status"] == "running"
    rootless.ok("start", other)
    rootless.ok("stop", "-t", "0", one)
    assert rootless.ok("wait", other).strip() == "137"
    assert containers.state(other)["Status"] == "exited"
    result = rootless("start", other)
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "whose PID namespace is to be joined is not running" in result.stderr
    rootless.ok("start", one)
    rootless.ok("start", other)
    second = rootless.ok("exec", one, *_NAMESPACE)
    assert rootless.ok("logs", other) == first + first + second
    rootless.ok("stop", "-t", "0", one)
    rootless.ok("wait", other)
    rootless.ok("rm", other)


@pytest.mark.parametrize("victim", ["ConmonPid", "InitPid", "Pid", "rm -f", "stop", "supervisor"])
@pytest.mark.parametrize("pid", ["container", "host"])
def test_nothing_is_left(containers: Containers, pid: str, victim: str, wait_until: Wait) -> None:
    """However it ends, its processes end with it, and the other container lives on."""
    rootless = containers.rootless
    one = containers.shell(LOOP)
    seconds = _seconds()
    # one that nobody waits for, one below a shell, and one that came from outside
    script = f"(setsid sleep {seconds} &) ; sh -c 'sleep {seconds}; true' & sleep {seconds}"
    mode = "host" if pid == "host" else f"container:{one}"
    other = containers.shell(script, "--pid", mode)
    state = containers.state(other)
    if victim == "supervisor":  # who alone would find this one
        state[victim] = parent_of(state["InitPid"])
    else:
        rootless.ok("exec", "-d", other, "sleep", seconds)
    wait_until(lambda: len(with_word(seconds)) >= 3 + (victim != "supervisor"))
    if victim == "rm -f":
        rootless.ok("rm", "-f", other)
    elif victim == "stop":
        rootless.ok("stop", "-t", "0", other)
    else:
        os.kill(state[victim], signal.SIGKILL)
    wait_until(lambda: not with_word(seconds))
    pids = [state[name] for name in ("Pid", "InitPid", "ConmonPid")]
    wait_until(lambda: not any(map(is_alive, pids)))
    assert containers.state(one)["Status"] == "running"
    if victim != "rm -f":
        wait_until(lambda: containers.state(other)["Status"] == "exited")


def test_wrong_use(containers: Containers) -> None:
    """One that is not there, that does not run, or that is itself gives one line."""
    rootless = containers.rootless
    created = containers.create("true")
    itself = f"itself-{os.urandom(4).hex()}"
    for words, text in (
        (("--pid", "container:nobody"), "no such container"),
        (("--pid", f"container:{created}"), "is not running"),
        (("--name", itself, "--pid", f"container:{itself}"), "no such container"),
        (("--pid", "nothing"), "unknown PID namespace"),
    ):
        result = rootless("run", *words, "debian-demo", "true")
        assert (result.status, result.stderr.count("\n")) == (125, 1)
        assert text in result.stderr
    one = containers.shell(LOOP)
    words = ("--pid", f"container:{one}", "--userns", "host")
    result = rootless("run", *words, "debian-demo", "true")
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "an ID map cannot be chosen with a joined PID namespace" in result.stderr


def test_in_the_foreground(containers: Containers) -> None:
    """It sees the other's processes, and its status is its own."""
    rootless = containers.rootless
    one = containers.shell(LOOP)
    join = ("--pid", f"container:{one}", "debian-demo")
    assert rootless("run", *join, "sh", "-c", "kill -9 $$").status == 137
    assert rootless("run", *join, "sh", "-c", "exit 7").status == 7
    found = rootless.ok("run", *join, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert f"sh -c {LOOP}" in found


def test_processes_of_the_host(containers: Containers) -> None:
    """With the host's the container sees them in /proc, without a warning."""
    result = containers.rootless("run", "--pid", "host", "debian-demo", *_NAMESPACE)
    assert (result.stdout.strip(), result.stderr) == (os.readlink("/proc/self/ns/pid"), "")
    show = ("cat", f"/proc/{os.getpid()}/comm")
    shown = containers.rootless.ok("run", "--pid", "host", "debian-demo", *show)
    assert shown == Path("/proc/self/comm").read_text()
