"""File systems in files, mounted by root for an ordinary user's tests."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from mounting import Mounting
from ordinary_user import ordinary_user

from rootless.userns.maps import MapRequest, choose_maps
from rootless.userns.subid import Caller

MIB = 1 << 20

MAKE = {
    "ext4": (64, ("mkfs.ext4", "-q", "-b", "4096", "-N", "400", "-m", "0")),
    "xfs": (320, ("mkfs.xfs", "-q", "-m", "reflink=1")),
    "btrfs": (192, ("mkfs.btrfs", "-q", "--mixed")),
}
"""Size in MiB and program of each."""


@dataclass(frozen=True)
class Disk:
    """A mounted file system.

    Attributes:
        kind: Its type.
        folder: A folder in it that is the ordinary user's, with `upper` and `work` in it later.
        image: The file that it is in.
        copies: Another folder of the user's, elsewhere.
    """

    kind: str
    folder: Path
    image: Path
    copies: Path

    def mounting(self, scratch: Path) -> Mounting:
        """Return what mounts overlays over it; called as the ordinary user."""
        maps = choose_maps(MapRequest(), Caller.current())
        return Mounting(scratch, maps, single_id=maps.single, storage_folder=self.folder)

    def crash(self, name: str) -> None:
        """Copy the image as it is now: what a crash of the machine would leave."""
        shutil.copyfile(self.image, self.copies / name)

    @contextlib.contextmanager
    def after_crash(self, name: str) -> Iterator[Path]:
        """Mount such a copy; gives the upperdir in it."""
        options = ["nouuid"] if self.kind == "xfs" else []  # the other one is mounted still
        with mounted(self.copies / name, self.image.parent / "crashed", options) as folder:
            yield folder / self.folder.name / "upper"


def require(kind: str) -> None:
    """Skip where this kernel or container has no such file system, or no loop devices."""
    if kind not in Path("/proc/filesystems").read_text().split():
        pytest.skip(f"needs kernel with {kind}")
    if not os.access("/dev/loop-control", os.W_OK):
        pytest.skip("needs loop devices")


@contextlib.contextmanager
def disk(kind: str) -> Iterator[Disk]:
    """Make and mount a file system, for as long as the block."""
    require(kind)
    size, program = MAKE[kind]
    user = ordinary_user()
    with tempfile.TemporaryDirectory(prefix="rootless-disk-", dir="/var/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        image = place / "image"
        with image.open("wb") as file:
            file.truncate(size * MIB)
        run(*program, image)
        with mounted(image, place / "disk") as folder:
            mine, copies = folder / "mine", place / "copies"
            for each in (mine, copies):
                each.mkdir()
                os.chown(each, user.pw_uid, user.pw_gid)
            yield Disk(kind, mine, image, copies)


@contextlib.contextmanager
def mounted(image: Path, folder: Path, options: Sequence[str] = ()) -> Iterator[Path]:
    """Mount a file system's image, for as long as the block."""
    folder.mkdir()
    try:
        run("mount", "-o", ",".join(["loop", *options]), image, folder)
    except subprocess.CalledProcessError as error:
        if "loop device" not in error.stderr:
            raise
        pytest.skip(f"needs loop devices: {error.stderr.strip()}")
    try:
        yield folder
    finally:
        _unmount(folder)
        folder.rmdir()


def _unmount(folder: Path) -> None:
    """Unmount; a server whose own mount went before has files open until it has ended."""
    deadline = time.monotonic() + 20
    while True:
        try:
            run("umount", folder)
            return
        except subprocess.CalledProcessError as error:
            if "busy" not in error.stderr or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def run(*words: str | os.PathLike[str]) -> str:
    """Run a program of root's; return what it says."""
    environ = {**os.environ, "PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"}
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=environ)
    return done.stdout
