"""The overlays under measurement, each freshly mounted with an upperdir of its own.

- `fuse`, `hybrid`: our drivers, mounted as `rootless run` mounts them, from tars and merged tree;
- `fuse-overlayfs`: the C peer, over the unpacked layers;
- `overlayfs`: the kernel's, with `userxattr`, over the unpacked layers.

All are mounted inside new user and mount namespaces, by root of them, `volatile` where there is
such a thing: what is written goes with the mount, so nothing waits for the disk.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import Unavailable
from synthetic import Prepared

from rootless.errors import RootlessError
from rootless.linux import mount_api
from rootless.linux.namespaces import CLONE_NEWNS, unshare
from rootless.overlay.driver import OverlayRequest, mount_root
from rootless.overlay.upperdir import open_upperdir
from rootless.userns.create import run_inside
from rootless.userns.maps import Maps

OURS = ("fuse", "hybrid")
PEERS = ("fuse-overlayfs", "overlayfs")
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Mounted:
    """A contender as a workload sees it.

    Attributes:
        name: One of OURS or PEERS.
        root: The mounted tree.
        upper: Its upperdir.
        scratch: A folder beside the mount, for lists and the like.
        image: What is mounted.
        server: Process ID of the FUSE server; 0 where the kernel does it alone.
    """

    name: str
    root: Path
    upper: Path
    scratch: Path
    image: Prepared
    server: int = 0


def run_on(
    name: str, image: Prepared, maps: Maps, body: Callable[[Mounted], dict[str, float]]
) -> dict[str, float]:
    """Mount an image, run a body in the mount's namespaces, and return what it returns.

    Raises Unavailable where the contender cannot mount, or where the body's work went wrong: what
    did not do its work has not been measured.
    """
    result = image.folder / "result"

    def child() -> None:
        unshare(CLONE_NEWNS)
        mount_api.mount(None, "/", None, mount_api.MS_REC | mount_api.MS_PRIVATE)
        # Stays until the end: ext4 looks for a free inode past all that were freed in the last
        # minutes, so that whoever creates files after a removal would pay for that.
        work = Path(tempfile.mkdtemp(prefix="mount-", dir=image.folder))
        (work / "scratch").mkdir()
        with _mount(name, image, maps, work) as mounted:
            measured = body(mounted)
        result.write_text(json.dumps(measured))

    try:
        run_inside(maps, child)
    except RootlessError as error:
        raise Unavailable(str(error)) from error
    values: dict[str, float] = json.loads(result.read_text())
    return values


@contextlib.contextmanager
def _mount(name: str, image: Prepared, maps: Maps, work: Path) -> Iterator[Mounted]:
    if name in OURS:
        with _ours(name, image, maps, work) as mounted:
            yield mounted
        return
    for each in ("root", "upper", "work", "none"):
        (work / each).mkdir()
    lowers = [os.path.relpath(each, work) for each in reversed(image.unpacked)]
    if name == "overlayfs" and len(lowers) == 1:
        lowers.append("none")  # older kernels want two
    options = f"lowerdir={':'.join(lowers)},upperdir=upper,workdir=work,volatile"
    os.chdir(work)  # mount options are a page at most: short names
    server = None
    if name == "overlayfs":
        mount_api.mount("bench", str(work / "root"), "overlay", 0, f"{options},userxattr")
    else:
        server = _start_fuse_overlayfs(options, work / "root")
    os.chdir("/")
    try:
        pid = server.pid if server else 0
        yield Mounted(name, work / "root", work / "upper", work / "scratch", image, pid)
    finally:
        mount_api.umount(str(work / "root"), mount_api.MNT_DETACH)
        if server:
            server.wait(_START_SECONDS)


def _start_fuse_overlayfs(options: str, root: Path) -> "subprocess.Popen[bytes]":
    """Start it in the foreground, so that its process is known, and wait until it is mounted."""
    before = root.stat().st_dev
    words = ["fuse-overlayfs", "-f", "-o", options, str(root)]
    try:
        server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError as error:
        raise RootlessError("cannot be started", words[0], error.strerror or "") from error
    deadline = time.monotonic() + _START_SECONDS
    while root.stat().st_dev == before:
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise RootlessError("does not mount", words[0])
        time.sleep(0.01)
    return server


@contextlib.contextmanager
def _ours(name: str, image: Prepared, maps: Maps, work: Path) -> Iterator[Mounted]:
    run = work / "run"
    run.mkdir()
    upperdir = open_upperdir(work / "overlay", ephemeral=True)
    with contextlib.closing(upperdir):
        mounted = mount_root(
            OverlayRequest(
                folder=run,
                tree=image.tree,
                layers=image.layers,
                uid_ranges=maps.uid.inside_ranges(),
                gid_ranges=maps.gid.inside_ranges(),
                overflow_uid=65534,
                overflow_gid=65534,
                upperdir=upperdir,
                driver=name,
                name="bench",
            )
        )
        try:
            pid = mounted.server.process.pid
            yield Mounted(name, mounted.path, upperdir.upper, work / "scratch", image, pid)
        finally:
            mounted.unmount()
    log = run / "server.log"
    if log.exists() and log.read_text():
        raise RootlessError("the server logged", log.read_text().splitlines()[-1])
