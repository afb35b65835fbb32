"""config-linux.md, "Namespaces": a mount namespace that is joined by its path."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runtime_bundle import Runtime

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]

Bundle = Callable[..., Path]

# Says when it is there; its root shows whether it has been given another one.
_HOLDER = "echo ready; read line; test -e /etc/passwd && echo still"


@contextlib.contextmanager
def holder() -> Iterator["subprocess.Popen[str]"]:
    """A process in new user and mount namespaces, with one ID: no groups can be set there."""
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _HOLDER]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def test_it_is_joined(runtime: Runtime, bundle: Bundle) -> None:
    """The container lives in it with a root of its own; who lives there keeps his."""
    with holder() as process:
        place = f"/proc/{process.pid}/ns"

        def join(spec: dict[str, Any]) -> None:
            kinds = (("user", "user"), ("mount", "mnt"))
            joined = [{"type": kind, "path": f"{place}/{file}"} for kind, file in kinds]
            spec["linux"].update(namespaces=[*joined, {"type": "pid"}])
            for member in ("uidMappings", "gidMappings"):
                spec["linux"].pop(member, None)
            # Of what the default has, sysfs and mqueue would need more new namespaces.
            spec["mounts"] = [m for m in spec["mounts"] if m["destination"] in ("/proc", "/usr")]

        script = "readlink /proc/self/ns/mnt; test -e /etc/passwd || echo own root"
        wanted = Path(place, "mnt").readlink()
        said = runtime.run_to_its_end("c", bundle(script, join))
        assert said.splitlines() == [str(wanted), "own root"]
        out, _ = process.communicate("\n")
        assert out == "still\n"
