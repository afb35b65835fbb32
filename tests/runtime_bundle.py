"""Bundles for the OCI runtime, and the runtime's executable in a state folder of its own.

A bundle's root file system is empty but for links: /usr of the host is bound into it, read-only, so
that a test has every tool and copies nothing.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executable import Result
from forking import ForkedPopen

from rootless.bundle.default_spec import default_spec
from rootless.oci.runtime_spec import format_spec

EXECUTABLE = str(Path(sys.prefix, "bin", "rootless-runtime"))
_WITHIN = 10.0

Document = dict[str, Any]
Edit = Callable[[Document], object]


def make_bundle(folder: Path, *args: str, edit: Edit | None = None) -> Path:
    """Make a bundle whose process is `args`; `edit` changes its config.json."""
    rootfs = folder / "rootfs"
    for name in ("dev", "etc", "proc", "sys", "tmp", "usr"):
        (rootfs / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib32", "lib64", "sbin"):
        if Path("/", name).is_symlink():
            (rootfs / name).symlink_to(f"usr/{name}")
    document: Document = json.loads(format_spec(default_spec()))
    document["root"] = {"path": "rootfs"}
    document["process"].update(terminal=False, args=list(args))
    bind = {"type": "bind", "source": "/usr", "options": ["rbind", "ro"]}
    document["mounts"].append({"destination": "/usr", **bind})
    if edit is not None:
        edit(document)
    (folder / "config.json").write_text(json.dumps(document))
    return folder


@dataclass(frozen=True, slots=True)
class Runtime:
    """The executable with `--root`; calling it runs a verb to its end.

    What a container writes to its standard streams goes to the file `output`: a pipe would be
    held open by it.
    """

    root: Path
    output: Path
    environ: Mapping[str, str]

    def command(self, *words: str | os.PathLike[str]) -> list[str]:
        """Return the argument list."""
        return [EXECUTABLE, "--root", str(self.root), *(os.fspath(word) for word in words)]

    def __call__(
        self,
        *words: str | os.PathLike[str],
        pass_fds: Sequence[int] = (),
        timeout: float = 60,
    ) -> Result:
        """Run a verb; its output is read, but for `create`, whose container keeps it."""
        with self.start(*words, pass_fds=pass_fds) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Result(process.returncode, out or "", err or "")

    def start(
        self, *words: str | os.PathLike[str], pass_fds: Sequence[int] = ()
    ) -> "subprocess.Popen[str]":
        """Start a verb."""
        holds = "create" in words
        log = self.output.open("a") if holds else subprocess.PIPE
        errors = self.output.with_name("errors").open("a") if holds else subprocess.PIPE
        try:
            return ForkedPopen(
                self.command(*words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=errors,
                encoding="utf-8",
                env=dict(self.environ),
                pass_fds=pass_fds,
            )
        finally:
            for file in (log, errors):
                if not isinstance(file, int):
                    file.close()

    def ok(self, *words: str | os.PathLike[str], **options: Any) -> str:
        """Run a verb, expect status 0, return what it printed."""
        result = self(*words, **options)
        assert result.status == 0, f"{words}: status {result.status}\n{result.stderr}{self.errors}"
        return result.stdout

    @property
    def said(self) -> str:
        """What the containers have written."""
        return self.output.read_text() if self.output.exists() else ""

    @property
    def errors(self) -> str:
        """What `create` and the containers have written to standard error."""
        path = self.output.with_name("errors")
        return path.read_text() if path.exists() else ""

    def state(self, container_id: str) -> Document:
        """Return the state document."""
        document: Document = json.loads(self.ok("state", container_id))
        return document

    def status(self, container_id: str) -> str:
        """Return the status; "" where there is no such container."""
        result = self("state", container_id)
        return str(json.loads(result.stdout)["status"]) if result.status == 0 else ""

    def wait_for(self, container_id: str, status: str) -> None:
        """Wait until the container has a status."""
        deadline = time.monotonic() + _WITHIN
        while self.status(container_id) != status:
            assert time.monotonic() < deadline, f"{self.status(container_id)}, not {status}"
            time.sleep(0.02)

    def run_to_its_end(self, container_id: str, bundle: Path) -> str:
        """Create, start, wait, delete; return what the container has written."""
        self.ok("create", "--bundle", bundle, container_id)
        self.ok("start", container_id)
        self.wait_for(container_id, "stopped")
        self.ok("delete", container_id)
        return self.said

    def remove_all(self) -> None:
        """Delete every container, whatever it is doing."""
        for container_id in self.ok("list", "-q").split():
            self.ok("delete", "--force", container_id)
