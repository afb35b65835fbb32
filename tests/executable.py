"""Running the real executable, in folders of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import leaks
from forking import ForkedPopen


@dataclass(frozen=True, slots=True)
class Home:
    """A fresh user's folders and the environment that names them."""

    path: Path
    environ: Mapping[str, str]

    @property
    def store(self) -> Path:
        """The store's folder; `rootless` makes it."""
        return self.path / "store"

    @property
    def runtime(self) -> Path:
        """The folder of what lives."""
        return self.path / "run" / "rootless"

    @classmethod
    def make(cls, path: Path) -> "Home":
        """Make the folders below an existing one."""
        for name in ("home", "run"):
            (path / name).mkdir(mode=0o700)
        keep = ("PATH", "LANG", "TERM", "USER", "LOGNAME", leaks.SESSION_VARIABLE)
        environ = {name: os.environ[name] for name in keep if name in os.environ}
        environ |= {
            "HOME": str(path / "home"),
            "XDG_RUNTIME_DIR": str(path / "run"),
            "ROOTLESS_HOME": str(path / "store"),
            "ROOTLESS_HOLDER": "off",  # it would outlive the test
        }
        return cls(path, environ)


@dataclass(frozen=True, slots=True)
class Result:
    """What a command said and how it ended."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Rootless:
    """The real executable, in one user's folders.

    Calling it runs it to its end; `start` gives the process.
    """

    home: Home
    global_options: tuple[str, ...] = ()
    executable: str = field(default_factory=lambda: str(Path(sys.prefix, "bin", "rootless")))

    def command(self, *words: str | os.PathLike[str]) -> list[str]:
        """Return the argument list."""
        return [self.executable, *self.global_options, *(os.fspath(word) for word in words)]

    def __call__(
        self,
        *words: str | os.PathLike[str],
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        timeout: float = 60,
        pass_fds: Sequence[int] = (),
    ) -> Result:
        """Run it to its end."""
        with self.start(
            *words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="surrogateescape",
            env={**self.home.environ, **(env or {})},
            cwd=cwd or self.home.path,
            pass_fds=pass_fds,
        ) as process:
            try:
                stdout, stderr = process.communicate(stdin, timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return Result(process.returncode, stdout, stderr)

    def ok(self, *words: str | os.PathLike[str], **options: object) -> str:
        """Run it, expect status 0, return what it printed."""
        result = self(*words, **options)  # type: ignore[arg-type]
        assert result.status == 0, f"{words}: status {result.status}\n{result.stderr}"
        return result.stdout

    def start(self, *words: str | os.PathLike[str], **options: Any) -> "subprocess.Popen[Any]":
        """Start it; the caller waits for it."""
        given = {"env": dict(self.home.environ), "cwd": self.home.path, **options}
        return ForkedPopen(self.command(*words), **given)
