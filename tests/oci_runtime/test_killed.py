"""kill -9 at any moment: of `create`, `start` and `delete`, and of the container."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from run_processes import is_alive
from runtime_bundle import Runtime

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users, pytest.mark.slow]

Bundle = Callable[..., Path]

TURNS = int(os.environ.get("ROOTLESS_CYCLES") or 20)


def test_create(runtime: Runtime, bundle: Bundle) -> None:
    """The ID can be deleted and used again at once; no process of the container stays."""
    folder = bundle("sleep 600")
    began = time.monotonic()
    runtime.ok("create", "--bundle", folder, "c")
    took = time.monotonic() - began
    runtime.ok("delete", "--force", "c")
    statuses = set()
    for _ in range(TURNS):
        with runtime.start("create", "--bundle", folder, "c") as process:
            time.sleep(random.uniform(took / 3, took))
            process.kill()
        status = runtime.status("c")
        statuses.add(status)
        assert status in ("", "creating", "created", "stopped")
        if status == "created":
            assert is_alive(runtime.state("c")["pid"])
        runtime.ok("delete", "--force", "c")
        assert not (runtime.root / "c").exists()
    assert len(statuses) > 1, "the moments do not differ"


def test_start_and_delete(runtime: Runtime, bundle: Bundle) -> None:
    """What was killed halfway can be done again, or was done."""
    folder = bundle("sleep 600")
    for _ in range(TURNS // 4):
        runtime.ok("create", "--bundle", folder, "c")
        for verb, done in (("start", "running"), ("delete", "")):
            with runtime.start(verb, *(["--force"] if verb == "delete" else []), "c") as process:
                time.sleep(random.uniform(0.05, 0.3))
                process.kill()
                process.communicate()
            if runtime.status("c") != done:
                assert runtime(verb, *(["--force"] if verb == "delete" else []), "c").status == 0
            assert runtime.status("c") == done


def test_the_container(runtime: Runtime, bundle: Bundle) -> None:
    """A process that is killed behind the runtime's back has stopped."""
    for verbs in (("create",), ("create", "start")):
        for verb in verbs:
            words = ("--bundle", bundle("sleep 600")) if verb == "create" else ()
            runtime.ok(verb, *words, "c")
        os.kill(runtime.state("c")["pid"], 9)
        runtime.wait_for("c", "stopped")
        runtime.ok("delete", "c")
