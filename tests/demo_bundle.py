"""A bundle of the demo image that a test edits and runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executable import Result, Rootless


@dataclass(frozen=True, slots=True)
class DemoBundle:
    """A bundle folder whose image is served, and the executable to run it with."""

    rootless: Rootless
    folder: Path

    @classmethod
    def create(cls, rootless: Rootless, folder: Path) -> "DemoBundle":
        """Make it; its process reads no standard input."""
        rootless.ok("bundle", "create", "debian-demo", folder)
        return cls(rootless, folder)

    def change(self, edit: Callable[[dict[str, Any]], object]) -> None:
        """Edit its config.json."""
        path = self.folder / "config.json"
        spec = json.loads(path.read_text())
        edit(spec)
        path.write_text(json.dumps(spec))

    def process(self, **members: Any) -> None:
        """Set members of its process."""
        self.change(lambda spec: spec["process"].update(members))

    def linux(self, **members: Any) -> None:
        """Set members of its linux object."""
        self.change(lambda spec: spec["linux"].update(members))

    def add_mount(self, destination: str, *options: str, **members: Any) -> None:
        """Add a mount; without a source and a type it is a tmpfs."""
        mount = {"type": "tmpfs", "source": "tmpfs", **members}
        mount |= {"destination": destination, "options": list(options)}
        self.change(lambda spec: spec["mounts"].append(mount))

    def ok(self, script: str, *options: str) -> str:
        """Run a script in it, expect status 0, return what it printed."""
        return self.rootless.ok("run", *options, "--bundle", self.folder, "sh", "-c", script)

    def __call__(self, script: str = "true", *options: str) -> Result:
        """Run a script in it to its end."""
        return self.rootless("run", *options, "--bundle", self.folder, "sh", "-c", script)
