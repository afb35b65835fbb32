"""Containers that live on, of one test: started, asked after, and removed again."""

import json
import os
from dataclasses import dataclass, field
from typing import Any

from executable import Rootless

LOOP = "while :; do sleep 0.1; done"


@dataclass(slots=True)
class Containers:
    """Containers of one test, all with a label of its own."""

    rootless: Rootless
    label: str = field(default_factory=lambda: f"test={os.urandom(6).hex()}")

    def run(self, *words: str, options: tuple[str, ...] = ()) -> str:
        """Start a container in the background; return its ID."""
        printed = self.rootless.ok("run", "-d", "-l", self.label, *options, "debian-demo", *words)
        assert len(printed.strip()) == 64
        return printed.strip()

    def shell(self, script: str, *options: str) -> str:
        """Start a shell script in the background; return the container's ID."""
        return self.run("sh", "-c", script, options=options)

    def create(self, *words: str, options: tuple[str, ...] = ()) -> str:
        """Make a container; return its ID."""
        made = self.rootless.ok("create", "-l", self.label, *options, "debian-demo", *words)
        return made.strip()

    def ps(self, *words: str) -> list[dict[str, Any]]:
        """Return what `ps --format json` says of this test's containers."""
        words = ("--filter", f"label={self.label}", "--format", "json", *words)
        found: list[dict[str, Any]] = json.loads(self.rootless.ok("ps", *words))
        return found

    def state(self, name: str) -> dict[str, Any]:
        """Return the `State` that `inspect` shows."""
        (found,) = json.loads(self.rootless.ok("inspect", "--type", "container", name))
        state: dict[str, Any] = found["State"]
        return state

    def remove_all(self) -> None:
        """Remove them, whatever they do."""
        left = self.rootless.ok("ps", "-aq", "--no-trunc", "--filter", f"label={self.label}")
        if left:
            self.rootless.ok("rm", "-f", *left.split())
