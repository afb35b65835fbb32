"""The command `rootless-overlay`, as an ordinary user and as root of a user namespace.

An ordinary user mounts through fusermount3; root of a user namespace calls mount(2). What must hold
for both is a scenario that `Somebody.run` runs as either.
"""

import contextlib
import os
import pickle
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rootless.linux import mount_api
from rootless.linux.namespaces import CLONE_NEWNS, unshare
from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, choose_maps
from rootless.userns.subid import Caller

EXECUTABLE = str(Path(sys.prefix, "bin", "rootless-overlay"))

Status = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who mounts.

    Attributes:
        folder: Where his folders are: l, u, w and mnt are made.
        in_namespace: Root of a new user namespace, in place of the user who runs the tests.
    """

    folder: Path
    in_namespace: bool

    def run(self, scenario: Callable[[Path], None]) -> None:
        """Run a scenario with the folder; its failure is the test's."""
        if not self.in_namespace:
            self._prepare()
            scenario(self.folder)
            return
        outcome = self.folder / "outcome"

        def child() -> None:
            try:
                unshare(CLONE_NEWNS)
                mount_api.mount(None, "/", None, mount_api.MS_REC | mount_api.MS_PRIVATE)
                self._prepare()
                scenario(self.folder)
            except BaseException:  # noqa: BLE001 - carried over to the test's process
                outcome.write_bytes(pickle.dumps(traceback.format_exc()))

        run_inside(choose_maps(MapRequest(), Caller.current()), child)
        if outcome.exists():
            raise AssertionError(pickle.loads(outcome.read_bytes()))

    def remove(self) -> None:
        """Remove the folders, files of sub-IDs included."""

        def child() -> None:
            for each in self.folder.iterdir():
                if each.is_dir() and not each.is_symlink():
                    shutil.rmtree(each, ignore_errors=True)

        run_inside(choose_maps(MapRequest(), Caller.current()), child)

    def _prepare(self) -> None:
        for name in ("l", "u", "w", "mnt"):
            (self.folder / name).mkdir(exist_ok=True)


def call(folder: Path, *words: str, timeout: float = 30) -> Status:
    """Run the command in a folder; return its status and all that it said."""
    done = subprocess.run(
        [EXECUTABLE, *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    return done.returncode, done.stdout


@contextlib.contextmanager
def mounted(folder: Path, options: str, mountpoint: str = "mnt") -> Iterator[Path]:
    """Mount for the length of a block; give the mountpoint."""
    assert call(folder, "-o", options, mountpoint) == (0, "")
    try:
        yield folder / mountpoint
    except BaseException:
        unmount(folder / mountpoint, lazily=True)  # lest what failed keeps it busy
        raise
    unmount(folder / mountpoint)


def unmount(path: Path, *, lazily: bool = False) -> None:
    """Unmount, as whoever mounted."""
    if os.geteuid() == 0:
        mount_api.umount(str(path), mount_api.MNT_DETACH if lazily else 0)
        return
    subprocess.run(["fusermount3", "-u", *(["-z"] if lazily else []), str(path)], check=True)
