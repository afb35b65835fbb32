"""An editor at work in a container, by the calls that those for development containers make."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from living import Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]
LOOP = """echo Container started
trap "exit 0" 15

exec "$@"
while sleep 1 & wait $!; do :; done"""
MANY = 8 << 20


@pytest.mark.both_users
def test_an_editor_opens_a_folder(
    containers: Containers, tmp_path: Path, wait_until: WaitUntil
) -> None:
    """It looks, starts a container and hears of it, works through pipes, and finds it again."""
    rootless, label = containers.rootless, containers.label
    (tmp_path / "file").touch()
    assert (
        rootless.ok("version", "--format", "{{.Server.Version}}")
        == rootless.ok("-v").split()[1] + "\n"
    )
    assert rootless.ok("ps", "-q", "-a", "--filter", f"label={label}") == ""
    asked = "{{.Os}} {{json .Config.User}} {{json .Config.Entrypoint}}"
    image = rootless.ok("inspect", "--type", "image", "--format", asked, "debian-demo")
    assert image == 'linux "" []\n'
    watch = rootless.command("events", "--format", "{{json .}}", "--filter", "event=start")
    start = rootless.command(
        *("run", "--sig-proxy=false", "-a", "STDOUT", "-a", "STDERR"),
        *("--mount", f"type=bind,source={tmp_path},target=/workspaces/w,consistency=cached"),
        *("-l", label, "-e", "X=y", "--entrypoint", "/bin/sh", "debian-demo", "-c", LOOP, "-"),
    )
    options = {"env": rootless.home.environ, "stdout": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen(watch, **options) as events,
        subprocess.Popen(start, **options) as run,
    ):
        assert run.stdout is not None
        assert events.stdout is not None
        assert run.stdout.readline() == "Container started\n"
        told = (json.loads(line) for line in events.stdout)
        key, _, value = label.partition("=")
        event = next(e for e in told if e["Actor"]["Attributes"].get(key) == value)
        events.terminate()
        assert event["status"] == "start"
        container = rootless.ok("ps", "-q", "-a", "--filter", f"label={label}").strip()
        assert event["id"].startswith(container)
        _work(containers, container, wait_until)
        assert rootless.ok("stop", "-t", "5", container) == f"{container}\n"
        assert run.wait(timeout=60) == 0
    assert rootless.ok("start", container) == f"{container}\n"
    assert rootless.ok("exec", container, "cat", "/root/port") == "1234\n"
    assert rootless.ok("rm", "-fv", container) == f"{container}\n"


def _work(containers: Containers, container: str, wait_until: WaitUntil) -> None:
    rootless = containers.rootless
    (shown,) = json.loads(rootless.ok("inspect", "--type", "container", container))
    assert shown["State"]["Status"] == "running"
    assert shown["Config"]["Image"].endswith("debian-demo:latest")
    assert "X=y" in shown["Config"]["Env"]
    assert [each["Destination"] for each in shown["Mounts"]] == ["/workspaces/w"]
    assert shown["NetworkSettings"]["Ports"] == {}
    words = ("exec", "-i", "-u", "root", "-e", "A=b", "--env", "TERM=dumb", "-w", "/workspaces/w")
    said = rootless(*words, container, "/bin/sh", stdin="echo $A $TERM; ls; id -u\n")
    assert (said.status, said.stdout) == (0, "b dumb\nfile\n0\n")
    text = "x" * MANY
    assert rootless("exec", "-i", container, "cat", stdin=text).stdout == text
    server = "(setsid sh -c 'echo 1234 >/root/port; sleep 60' >/dev/null 2>&1 </dev/null &)\n"
    assert rootless("exec", "-i", container, "/bin/sh", stdin=server).status == 0
    wait_until(lambda: rootless("exec", container, "cat", "/root/port").stdout == "1234\n")
