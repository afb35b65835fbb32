"""Where hooks run, for how long, and what they may do (runtime-spec config.md, "Hooks")."""

from collections.abc import Callable
from pathlib import Path

import pytest
from runtime_bundle import Document, Runtime

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]

Bundle = Callable[..., Path]

OUTSIDE = ("prestart", "createRuntime", "poststart", "poststop")
INSIDE = ("createContainer", "startContainer")


def hook(script: str, **members: object) -> Document:
    """Return a hook that runs a script."""
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin"], **members}


def with_hooks(hooks: dict[str, list[Document]]) -> Callable[[Document], object]:
    """Return an edit that sets the hooks."""
    return lambda spec: spec.update(hooks=hooks)


def bind(folder: Path) -> Document:
    """Return a mount that shows a folder inside as it is outside."""
    return {
        "destination": str(folder),
        "type": "bind",
        "source": str(folder),
        "options": ["rbind", "rw"],
    }


def test_namespaces(runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
    """CreateContainer and startContainer run in the container's namespaces, the others outside."""
    log = tmp_path / "log"
    log.mkdir()

    def edit(spec: Document) -> None:
        spec["mounts"].append(bind(log))
        spec["hostname"] = "inside"
        spec["hooks"] = {point: [hook(f"uname -n >{log}/{point}")] for point in (*OUTSIDE, *INSIDE)}

    runtime.run_to_its_end("c", bundle("true", edit))
    found = {point for point in (*OUTSIDE, *INSIDE) if (log / point).read_text() == "inside\n"}
    assert found == set(INSIDE)


def test_a_timeout(runtime: Runtime, bundle: Bundle) -> None:
    """A hook that takes longer than its timeout is killed, and has failed."""
    folder = bundle("echo ran", with_hooks({"createRuntime": [hook("sleep 600", timeout=1)]}))
    assert runtime("create", "--bundle", folder, "c").status == 125
    assert "a hook timed out after 1 s: /bin/sh" in runtime.errors
    assert runtime.status("c") == ""


def test_a_hook_that_calls_the_runtime(runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
    """A poststart hook may kill the container: no verb waits for the one that runs the hook."""
    words = " ".join(runtime.command("kill", "c", "KILL"))
    folder = bundle("sleep 600", with_hooks({"poststart": [hook(f"{words} 2>{tmp_path}/e")]}))
    runtime.ok("create", "--bundle", folder, "c")
    runtime.ok("start", "c")
    runtime.wait_for("c", "stopped")
    assert (tmp_path / "e").read_text() == ""
