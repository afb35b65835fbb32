"""A bundle whose programs are the host's own, for tests that drive `rootless-runtime`."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executable import Result, Rootless

_NAMESPACES = ("pid", "network", "ipc", "uts", "mount")


@dataclass(frozen=True, slots=True)
class HookedBundle:
    """A bundle folder, and the executable that makes a container of it.

    Its root holds links to the host's /usr, which is mounted read-only; all else is of the test.
    """

    runtime: Rootless
    folder: Path
    id: str = "one"

    @classmethod
    def create(cls, runtime: Rootless, folder: Path) -> "HookedBundle":
        """Make it; its process ends at once."""
        rootfs = folder / "rootfs"
        for name in ("dev", "etc", "out", "proc", "tmp", "usr"):
            (rootfs / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (rootfs / name).symlink_to(f"usr/{name}")
        spec = {
            "ociVersion": "1.0.2",
            "process": {"args": ["true"], "cwd": "/", "env": ["PATH=/usr/bin"]},
            "root": {"path": "rootfs"},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
                {"destination": "/usr", "source": "/usr", "options": ["rbind", "ro"]},
            ],
            "linux": {"namespaces": [{"type": kind} for kind in _NAMESPACES]},
        }
        (folder / "config.json").write_text(json.dumps(spec))
        return cls(runtime, folder)

    @property
    def out(self) -> Path:
        """The folder that is /out to the container."""
        return self.folder / "rootfs" / "out"

    def change(self, edit: Callable[[dict[str, Any]], object]) -> None:
        """Edit its config.json."""
        path = self.folder / "config.json"
        spec = json.loads(path.read_text())
        edit(spec)
        path.write_text(json.dumps(spec))

    def script(self, script: str) -> None:
        """Have the container run a script."""
        self.change(lambda spec: spec["process"].update(args=["sh", "-c", script]))

    def __call__(self, verb: str, *options: str) -> Result:
        """Run a verb on the container to the verb's end, not the container's."""
        with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
            done = subprocess.run(
                self.runtime.command(verb, *options, self.id),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=self.runtime.home.environ,
                cwd=self.folder,
                timeout=60,
                check=False,
            )
            stdout.seek(0)
            stderr.seek(0)
            return Result(done.returncode, stdout.read(), stderr.read())

    def ok(self, verb: str, *options: str) -> str:
        """Run a verb, expect status 0, return what it printed."""
        result = self(verb, *options)
        assert result.status == 0, f"{verb} {options}: status {result.status}\n{result.stderr}"
        return result.stdout

    def state(self) -> dict[str, Any]:
        """Return the container's state."""
        state: dict[str, Any] = json.loads(self.ok("state"))
        return state
