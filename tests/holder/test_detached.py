"""Containers in the background whose monitor is a fork of the holder: all is as without one."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from executable import Rootless
from holding import warm, with_holder
from run_processes import is_alive

WaitUntil = Callable[[Callable[[], bool]], None]
LOOK = (
    "id; umask; ulimit -a; nice; cat /proc/self/oom_score_adj /proc/self/uid_map;"
    "grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Sig|Shd)' /proc/self/status; env | grep -v HOSTNAME;"
    "ls -ln /dev /proc/self/fd | sed 's/.*:.. //; s/pipe:.*//'; ls /sys/class/net; touch /x;"
    "cut -d' ' -f4- /proc/self/mountinfo | sed -E 's/(master|shared):[0-9]+//; s/[0-9a-f]{64}/ID/g'"
    " | sed -E 's#(upper|work|lower)dir=[^ ,]*##g' | sort; set -- /proc/[0-9]*; echo $#; cat;"
    "echo said >&2; sleep 0.1; exit 3"
)


def run(rootless: Rootless, *words: str) -> str:
    """Run a container in the background through the holder; return its ID."""
    result = rootless("--timings", "run", "-d", *words)
    assert result.status == 0, result.stderr
    assert "client: told what to do" in result.stderr
    return result.stdout.strip()


def inspect(rootless: Rootless, name: str) -> dict[str, object]:
    """Return what is known of a container, without what differs from one to the next."""
    (found,) = json.loads(rootless.ok("inspect", name))
    text = json.dumps(found).replace(found["Id"], "ID").replace(found["Id"][:12], "ID")
    found = json.loads(text.replace(found["Name"], "NAME"))
    for key in ("Created", "State", "Name"):
        found.pop(key)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "options",
    [(), ("-u", "33"), ("--network", "none", "--read-only"), ("--pid", "host")],
    ids=["plain", "input", "read-only", "among others"],
)
def test_everything_is_as_in_an_ordinary_run(held: Rootless, options: tuple[str, ...]) -> None:
    """A workload sees the same, and its record, its log and its status are the same."""
    warm(held)
    ordinary = with_holder(held, "off")
    words = (*options, "debian-demo", "sh", "-c", LOOK.replace("cat;", "") if options else LOOK)
    ids = [run(held, *words), ordinary.ok("run", "-d", *words).strip()]
    assert [held.ok("wait", each) for each in ids] == ["3\n", "3\n"]
    first, second = (held("logs", each) for each in ids)
    hide = held.ok("ps", "-aq").split()
    assert len(hide) == 2
    lines = [
        each.stdout.replace(name[:12], "ID")
        for each, name in zip((first, second), ids, strict=True)
    ]
    if "host" not in options:
        assert lines[0] == lines[1]
    assert first.stderr == second.stderr
    assert inspect(held, ids[0]) == inspect(held, ids[1])


def test_its_life(held: Rootless, wait_until: WaitUntil) -> None:
    """A name, a published port, `exec`, `stop`, `start`, and a policy that starts it again."""
    warm(held)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = "echo begun >>/kept; trap 'exit 4' TERM; while sleep 0.05; do :; done"
    run(held, "--name", "web", "-p", f"{port}:80", "debian-demo", "sh", "-c", script)
    socket.create_connection(("127.0.0.1", port), 5).close()
    again = held("run", "-d", "--name", "web", "debian-demo", "true")
    assert (again.status, "running" in again.stderr) == (125, True)
    assert held.ok("exec", "web", "cat", "/kept") == "begun\n"
    held.ok("stop", "web")
    held.ok("start", "web")
    assert held.ok("exec", "web", "wc", "-l", "/kept").split()[0] == "2"
    held.ok("rm", "-f", "web")
    run(held, "--name", "often", "--restart", "on-failure:2", "debian-demo", "sh", "-c", "exit 5")
    assert held.ok("wait", "often") == "5\n"
    (found,) = json.loads(held.ok("inspect", "often"))
    assert found["State"]["RestartCount"] == 2
    run(held, "--rm", "--name", "gone", "debian-demo", "true")
    wait_until(lambda: "gone" not in held.ok("ps", "-a"))


def test_what_keeps_it_from_running(held: Rootless) -> None:
    """An error is told as ever, once, and leaves what it leaves without a holder."""
    warm(held)
    for mode in ("", "off"):
        each = with_holder(held, mode)
        result = each("run", "-d", "--name", "none", "debian-demo", "no-such-program")
        assert (result.status, result.stdout) == (127, "")
        assert result.stderr.count("\n") == 1
        assert "no-such-program" in result.stderr
        assert each.ok("ps", "-a").count("none") == 1
        each.ok("rm", "none")
        result = each("run", "-d", "--rm", "debian-demo", "no-such-program")
        assert result.status == 127
        assert len(each.ok("ps", "-a").splitlines()) == 1


@pytest.mark.parametrize("who", ["supervisor", "runner", "init"])
def test_the_end_of_one_of_its_processes(held: Rootless, wait_until: WaitUntil, who: str) -> None:
    """SIGKILL of any leaves what it leaves without a holder: no process, no mount, a record."""
    warm(held)
    seen = []
    for each in (held, with_holder(held, "off")):
        each.ok("run", "-d", "--name", "c", "debian-demo", "sleep", "600")
        live = next((held.home.runtime / "runs").glob("[0-9a-f]*/state.json"))
        ids = {k: v["pid"] for k, v in json.loads(live.read_text()).items() if isinstance(v, dict)}
        os.kill(ids[who], signal.SIGKILL)
        wait_until(lambda ids=ids: not any(map(is_alive, ids.values())))
        (found,) = json.loads(each.ok("inspect", "c"))
        state = found["State"]
        seen.append((state["Status"], state["ExitCode"], state.get("Error", "")))
        each.ok("rm", "c")
        assert not list((held.home.runtime / "runs").glob("[0-9a-f]*"))
    assert seen[0] == seen[1]


def test_it_outlives_the_holder(held: Rootless) -> None:
    """What runs goes on without the holder, also over its next start, and reads its image."""
    warm(held)
    script = (
        "trap 'exit 1' TERM; while sleep 0.05; do cat /usr/share/common-licenses/GPL-3 >/y; done"
    )
    run(held, "--name", "c", "--restart", "on-failure:9", "debian-demo", "sh", "-c", script)
    held.ok("system", "shutdown")
    held.ok("exec", "c", "sh", "-c", "rm -f /y; kill 2")
    deadline = time.monotonic() + 20
    while held("exec", "c", "test", "-s", "/y").status and time.monotonic() < deadline:
        time.sleep(0.1)
    assert held.ok("exec", "c", "sh", "-c", "wc -c </usr/share/common-licenses/GPL-3") == "35149\n"
    held.ok("rm", "-f", "c")
    assert not list(Path(held.home.runtime / "runs").glob("[0-9a-f]*"))
