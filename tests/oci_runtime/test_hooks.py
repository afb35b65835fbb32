"""Hooks at the six points of a container's life (runtime-spec runtime.md, "Lifecycle")."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from runtime_bundle import Document, Runtime

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]

Bundle = Callable[..., Path]

POINTS = {
    # point: the status that the state has there
    "prestart": "creating",
    "createRuntime": "creating",
    "createContainer": "creating",
    "startContainer": "created",
    "poststart": "running",
    "poststop": "stopped",
}
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


def test_order_and_state(runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
    """Each list is run at its point, in its order, with the state of that moment on stdin."""
    log = tmp_path / "log"
    log.mkdir()

    def edit(spec: Document) -> None:
        spec["annotations"] = {"k": "v"}
        spec["mounts"].append(bind(log))
        spec["hooks"] = {
            point: [
                hook(f"cat >{log}/{point}{number}.json; echo {point}{number} >>{log}/order")
                for number in (1, 2)
            ]
            for point in POINTS
        }

    folder = bundle(f"echo process >>{log}/order", edit)
    runtime.ok("create", "--bundle", folder, "c")
    pid = runtime.state("c")["pid"]
    runtime.ok("start", "c")
    runtime.wait_for("c", "stopped")
    runtime.ok("delete", "c")

    order = (log / "order").read_text().split()
    order.remove("process")  # it runs while the poststart hooks do
    assert order == [f"{point}{number}" for point in POINTS for number in (1, 2)]
    for point, status in POINTS.items():
        for number in (1, 2):
            state = json.loads((log / f"{point}{number}.json").read_text())
            assert (state["id"], state["status"], state["bundle"]) == ("c", status, str(folder))
            assert state["annotations"] == {"k": "v"}
            assert state.get("pid", 0) == (0 if point == "poststop" else pid)


def test_namespaces(runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
    """CreateContainer and startContainer run in the container's namespaces, the others outside."""
    log = tmp_path / "log"
    log.mkdir()

    def edit(spec: Document) -> None:
        spec["mounts"].append(bind(log))
        spec["hostname"] = "inside"
        spec["hooks"] = {point: [hook(f"uname -n >{log}/{point}")] for point in POINTS}

    runtime.run_to_its_end("c", bundle("true", edit))
    found = {point for point in POINTS if (log / point).read_text() == "inside\n"}
    assert found == set(INSIDE)


@pytest.mark.parametrize("point", ["prestart", "createRuntime", "createContainer"])
def test_a_failure_of_create(runtime: Runtime, bundle: Bundle, tmp_path: Path, point: str) -> None:
    """A hook that fails ends `create`; poststop hooks are run, and nothing is left."""
    after = hook(f"cat >{tmp_path}/after")
    hooks = {point: [hook("echo because >&2; exit 3")], "poststop": [after]}
    folder = bundle("echo ran", with_hooks(hooks))
    assert runtime("create", "--bundle", folder, "c").status == 125
    assert "a hook failed with status 3: /bin/sh (because)" in runtime.errors
    assert runtime.status("c") == ""
    assert json.loads((tmp_path / "after").read_text())["status"] == "stopped"


def test_a_failure_of_start(runtime: Runtime, bundle: Bundle) -> None:
    """A startContainer hook that fails ends `start` and the container."""
    folder = bundle("echo ran", with_hooks({"startContainer": [hook("exit 3")]}))
    runtime.ok("create", "--bundle", folder, "c")
    result = runtime("start", "c")
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "a hook failed with status 3: /bin/sh" in result.stderr
    runtime.wait_for("c", "stopped")
    assert runtime.said == ""


def test_a_failure_afterwards(runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
    """A poststart or poststop hook that fails is a warning, and the next one is run."""
    for point, verb in (("poststart", "start"), ("poststop", "delete")):
        hooks = {point: [hook("exit 3"), hook(f"touch {tmp_path}/{point}")]}
        runtime.ok("create", "--bundle", bundle("sleep 600", with_hooks(hooks)), point)
        words = ("--force",) if verb == "delete" else ()
        result = runtime(verb, *words, point)
        assert result.status == 0
        assert result.stderr == "rootless-runtime: a hook failed with status 3: /bin/sh\n"
        assert (tmp_path / point).exists()


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
