"""runtime.md, "Lifecycle" and "State": hooks of a real container, and what they are told of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hooked_bundle import HookedBundle

pytestmark = pytest.mark.both_users

OUTSIDE = ("prestart", "createRuntime", "poststart", "poststop")
INSIDE = ("createContainer", "startContainer")


def hook(script: str) -> dict[str, Any]:
    """Return a hook that runs a script."""
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"]}


def live(hooked: HookedBundle, wait_until: Callable[[Callable[[], bool]], None]) -> int:
    """Lead a container through its life; return its process ID."""
    hooked.ok("create")
    pid: int = hooked.state()["pid"]
    hooked.ok("start")
    wait_until(lambda: hooked.state()["status"] == "stopped")
    hooked.ok("delete")
    return pid


@pytest.fixture
def told(
    hooked: HookedBundle, wait_until: Callable[[Callable[[], bool]], None]
) -> dict[str, dict[str, Any]]:
    """Have each kind of hook keep its state; return what each was told, and the process ID."""
    places = dict.fromkeys((*OUTSIDE, "createContainer"), hooked.out)

    def keep(kind: str) -> list[dict[str, Any]]:
        return [hook(f"cat > {places.get(kind, '/out')}/{kind}")]

    hooks = {kind: keep(kind) for kind in (*OUTSIDE, *INSIDE)}
    hooked.change(lambda spec: spec.update(hooks=hooks, annotations={"org.example": "kept"}))
    pid = live(hooked, wait_until)
    found = {kind: json.loads((hooked.out / kind).read_text()) for kind in hooks}
    return {**found, "process": {"pid": pid}}


def test_status(told: dict[str, dict[str, Any]]) -> None:
    """Past step 2 of its life it is created, until its program has been executed."""
    statuses = {kind: told[kind]["status"] for kind in (*OUTSIDE, *INSIDE)}
    assert statuses == {
        "prestart": "created",
        "createRuntime": "created",
        "createContainer": "created",
        "startContainer": "created",
        "poststart": "running",
        "poststop": "stopped",
    }


def test_process_id(told: dict[str, dict[str, Any]]) -> None:
    """A hook in the container's namespaces is told the ID in there, the others the host's."""
    pid = told["process"]["pid"]
    ids = {kind: told[kind].get("pid") for kind in (*OUTSIDE, *INSIDE)}
    assert ids == {
        "prestart": pid,
        "createRuntime": pid,
        "createContainer": 1,
        "startContainer": 1,
        "poststart": pid,
        "poststop": None,
    }


def test_which_container(told: dict[str, dict[str, Any]], hooked: HookedBundle) -> None:
    """All are told of the same container."""
    for kind in (*OUTSIDE, *INSIDE):
        assert told[kind]["id"] == hooked.id
        assert told[kind]["bundle"] == str(hooked.folder)
        assert told[kind]["annotations"] == {"org.example": "kept"}


def test_order(hooked: HookedBundle, wait_until: Callable[[Callable[[], bool]], None]) -> None:
    """The six kinds follow each other, each in the order of its list, around the process."""
    order = hooked.out / "order"

    def note(word: str) -> list[dict[str, Any]]:
        place = "/out/order" if word == "startContainer" else order
        return [hook(f"echo {word} {number} >> {place}") for number in (1, 2)]

    hooked.change(lambda spec: spec.update(hooks={w: note(w) for w in (*OUTSIDE, *INSIDE)}))
    # The process and the poststart hooks run beside each other: it waits for them.
    hooked.script("while ! grep -q 'poststart 2' out/order; do :; done; echo process >> out/order")
    live(hooked, wait_until)
    kinds = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart")
    expected = [f"{kind} {number}" for kind in kinds for number in (1, 2)]
    expected += ["process", "poststop 1", "poststop 2"]
    assert order.read_text().splitlines() == expected


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_failure_before_start(hooked: HookedBundle, kind: str) -> None:
    """A hook of `create` that fails ends the container; its poststop hooks are run all the same."""
    failing = [hook("exit 7"), hook(f"touch {hooked.out}/next")]
    stop = [hook(f"touch {hooked.out}/stopped")]
    hooked.change(lambda spec: spec.update(hooks={kind: failing, "poststop": stop}))
    created = hooked("create")
    assert created.status != 0
    assert "a hook failed with status 7: /bin/sh" in created.stderr
    assert hooked("state").status != 0
    assert [path.name for path in hooked.out.iterdir()] == ["stopped"]


def test_failure_at_start(hooked: HookedBundle) -> None:
    """A startContainer hook that fails keeps the process from being run, and `start` says so."""
    hooked.change(lambda spec: spec.update(hooks={"startContainer": [hook("exit 7")]}))
    hooked.script("touch /out/process")
    hooked.ok("create")
    started = hooked("start")
    assert started.status != 0
    assert "a hook failed with status 7: /bin/sh" in started.stderr
    assert hooked.state()["status"] == "stopped"
    assert not list(hooked.out.iterdir())


@pytest.mark.parametrize("kind", ["poststart", "poststop"])
def test_failure_that_is_warned_of(
    hooked: HookedBundle, wait_until: Callable[[Callable[[], bool]], None], kind: str
) -> None:
    """After the start a failure is warned of; the hooks that follow are run, life goes on."""
    hooks = [hook("exit 7"), hook(f"touch {hooked.out}/next")]
    hooked.change(lambda spec: spec.update(hooks={kind: hooks}))
    hooked.ok("create")
    started = hooked("start")
    wait_until(lambda: hooked.state()["status"] == "stopped")
    deleted = hooked("delete")
    assert (started.status, deleted.status) == (0, 0)
    warned = started if kind == "poststart" else deleted
    assert "a hook failed with status 7: /bin/sh" in warned.stderr
    assert (hooked.out / "next").exists()
