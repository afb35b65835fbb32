"""podman of an ordinary user that runs its containers by `rootless-runtime`.

Store, run-time folder, configuration and home are its own, in a folder with a short path: conmon's
sockets lie deep below it. What podman looks for in its runtime is named in containers.conf(5).
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import own_folder
import run_processes
from executable import Result

RUNTIME = str(Path(sys.prefix, "bin", "rootless-runtime"))
PLAIN = ("--cgroups=disabled", "--network=none")
IMAGE = "demo"

_CONFIGURATION = f"""
[engine]
runtime = "rl"
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime_supports_json = ["rl"]
runtime_supports_nocgroup = ["rl"]
[engine.runtimes]
rl = ["{RUNTIME}"]
"""


@dataclass(frozen=True, slots=True)
class Podman:
    """podman in a folder of its own; calling it runs it to its end."""

    folder: Path

    @classmethod
    def make(cls, demo_image: str) -> "Podman":
        """Make the folder and pull the demo image into its store."""
        podman = cls(own_folder.make("podman."))
        (podman.folder / "containers.conf").write_text(_CONFIGURATION)
        podman.ok("pull", "-q", f"oci:{demo_image}", timeout=120)
        podman.ok("tag", podman.ok("images", "-q").split()[0], IMAGE)
        return podman

    @property
    def environ(self) -> dict[str, str]:
        """The environment that podman and everything it starts have."""
        return {
            **own_folder.environ(self.folder),
            "TERM": "xterm",
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
        }

    @property
    def states(self) -> Path:
        """The folder in which the runtime keeps its containers' state."""
        return self.folder / "run" / "rootless" / "oci"

    def command(self, *words: str) -> list[str]:
        """Return the argument list."""
        places = {"root": "root", "runroot": "runroot", "tmpdir": "tmp/libpod"}
        options = (f"--{name}={self.folder / path}" for name, path in places.items())
        return ["podman", *options, "--storage-driver=overlay", *words]

    def __call__(self, *words: str, stdin: str = "", timeout: float = 60) -> Result:
        """Run it to its end."""
        return self.run(self.command(*words), stdin, timeout)

    def runtime(self, *words: str) -> Result:
        """Run the runtime as podman does, in podman's user namespace."""
        return self.run(self.command("unshare", RUNTIME, *words))

    def run(self, words: Sequence[str], stdin: str = "", timeout: float = 60) -> Result:
        """Run any program in podman's environment."""
        done = subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env=self.environ,
            cwd=self.folder,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, stdin: str = "", timeout: float = 60) -> str:
        """Run it, expect status 0, return what it printed."""
        result = self(*words, stdin=stdin, timeout=timeout)
        assert result.status == 0, f"{words}: status {result.status}\n{result.stderr}"
        return result.stdout

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start it; the caller reads what it prints and waits for it."""
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=self.environ,
            cwd=self.folder,
        )

    def inspect(self, name: str, form: str) -> str:
        """Return what `podman inspect` shows of a container."""
        return self.ok("inspect", "--type=container", "--format", form, name).rstrip("\n")

    def remove_all(self) -> None:
        """Remove every pod and container, whatever they are doing."""
        self.ok("pod", "rm", "--all", "--force", "--time=0")
        self.ok("rm", "--all", "--force", "--time=0")

    def conmons(self) -> list[int]:
        """Return the monitors of this podman's containers."""
        return [pid for pid in _processes(self) if _name(pid) == "conmon"]

    def close(self) -> None:
        """Remove the store, whose files are sub-IDs' ones; end what podman leaves running."""
        self.remove_all()
        self("unshare", "rm", "-rf", *(str(self.folder / name) for name in ("root", "runroot")))
        for file in self.folder.rglob("pause.pid"):
            run_processes.kill(int(file.read_text()))
        shutil.rmtree(self.folder)


def _processes(podman: Podman) -> Iterator[int]:
    """Yield the processes that have this podman's folder among their arguments."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if str(podman.folder).encode() in Path("/proc", entry, "cmdline").read_bytes():
                    yield int(entry)


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
