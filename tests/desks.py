"""A user at his shell, with aliases in his PATH."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from executable import Rootless


@dataclass(frozen=True, slots=True)
class Desk:
    """A user at his shell, in a folder below his home, with aliases in his PATH."""

    rootless: Rootless
    home: Path
    folder: Path

    @property
    def binaries(self) -> Path:
        """Where aliases are put."""
        return self.home / ".local" / "bin"

    @property
    def environ(self) -> Mapping[str, str]:
        """His environment."""
        environ = self.rootless.home.environ
        own = Path(self.rootless.executable).parent
        path = f"{self.binaries}:{own}:{os.defpath}"
        return {**environ, "PATH": path, "LC_ALL": "C.UTF-8"}

    def sh(
        self, script: str, *, stdin: str = "", status: int = 0, **environ: str
    ) -> tuple[str, str]:
        """Run a script of bash; return what it said."""
        done = subprocess.run(
            ["bash", "-c", script],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            env={**self.environ, **environ},
            cwd=self.folder,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout, done.stderr

    def alias(self, *words: str, status: int = 0) -> tuple[str, str]:
        """Run `rootless alias`."""
        done = self.rootless("alias", *words, env=self.environ, cwd=self.folder)
        assert done.status == status, done.stderr
        return done.stdout, done.stderr
