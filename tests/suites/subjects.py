"""What outside suites run on: both overlay drivers, and what they are held against.

Each subject is mounted over the same layer, inside new user and mount namespaces with sub-IDs:

- `fuse`, `hybrid`: our drivers, mounted as `rootless run` mounts them;
- `fuse-overlayfs`: the C peer, over the unpacked layer;
- `overlayfs`: the kernel's, with `userxattr`, over the unpacked layer;
- `native`: the unpacked layer itself, the file system below all of the others.

What fails on `native` or `overlayfs` too is a property of the host's file system or of user
namespaces; what fails on `fuse-overlayfs` too may be one of FUSE.
"""

import contextlib
import os
import pickle
import shutil
import subprocess
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import images
import trees

from rootless.linux import mount_api
from rootless.linux.namespaces import CLONE_NEWNS, unshare
from rootless.overlay.driver import OverlayRequest, mount_root
from rootless.overlay.upperdir import Upperdir, open_upperdir
from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, Maps, choose_maps
from rootless.userns.subid import Caller

OURS = ("fuse", "hybrid")
SUBJECTS = (*OURS, "fuse-overlayfs", "overlayfs", "native")


@dataclass(frozen=True, slots=True)
class Subject:
    """A mounted subject, as a suite sees it from inside.

    Attributes:
        name: One of SUBJECTS.
        root: The mounted tree.
        server: Process ID of our server; 0 for the others.
        lower: Where our server is mounted under kernel overlayfs; None where it is not.
    """

    name: str
    root: Path
    server: int = 0
    lower: Path | None = None


def run_on(name: str, folder: Path, layer: images.Layer, body: Callable[[Subject], Any]) -> Any:
    """Run a body over a subject, in new namespaces; return what it returns."""
    return run_in_turn(folder, layer, [(name, body)])[0]


def run_in_turn(
    folder: Path, layer: images.Layer, visits: Sequence[tuple[str, Callable[[Subject], Any]]]
) -> list[Any]:
    """Mount subjects one after another over the same layer and upperdir; run a body over each.

    Args:
        folder: An empty folder on the file system to use; emptied again afterwards.
        layer: What the tree holds at first.
        visits: Names of SUBJECTS, each with what is called with it, as root of the namespaces.

    Returns:
        What the bodies returned.

    Raises:
        AssertionError: A body failed, or our server logged something.
    """
    maps = choose_maps(MapRequest(), Caller.current())
    folder.chmod(0o755)
    result = folder / "result"

    def child() -> None:
        try:
            unshare(CLONE_NEWNS)
            mount_api.mount(None, "/", None, mount_api.MS_REC | mount_api.MS_PRIVATE)
            values = []
            for name, body in visits:
                with _mounted(name, folder, layer, maps) as subject:
                    values.append(body(subject))
            outcome = ("returned", values)
            _require_silence(folder / "run" / "server.log")
        except BaseException:  # noqa: BLE001 - carried over to the caller's process
            outcome = ("raised", traceback.format_exc())
        result.write_bytes(pickle.dumps(outcome))

    def remove() -> None:
        for each in folder.iterdir():
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()

    run_inside(maps, child)
    how, value = pickle.loads(result.read_bytes())
    run_inside(maps, remove)
    if how == "raised":
        raise AssertionError(value)
    return value


@contextlib.contextmanager
def _mounted(name: str, folder: Path, layer: images.Layer, maps: Maps) -> Iterator[Subject]:
    with contextlib.closing(open_upperdir(folder / "overlay", ephemeral=False)) as upperdir:
        mounting = _ours if name in OURS else _theirs
        with mounting(name, folder, layer, upperdir, maps) as subject:
            yield subject


@contextlib.contextmanager
def _theirs(
    name: str, folder: Path, layer: images.Layer, upperdir: Upperdir, _: Maps
) -> Iterator[Subject]:
    lower, root = folder / "lower", folder / "root"
    if not lower.exists():
        for each in (lower, root):
            each.mkdir()
        unpack = ["tar", "-x", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-C", lower]
        subprocess.run(unpack, input=images.layer_tar(layer), check=True)
    if name == "native":
        yield Subject(name, lower)
        return
    options = f"lowerdir={lower},upperdir={upperdir.upper},workdir={upperdir.work}"
    if name == "overlayfs":
        mount_api.mount("suite", str(root), "overlay", 0, f"{options},userxattr")
    else:
        subprocess.run(["fuse-overlayfs", "-o", options, root], check=True)
    try:
        yield Subject(name, root)
    finally:
        mount_api.umount(str(root), 0 if name == "overlayfs" else mount_api.MNT_DETACH)


@contextlib.contextmanager
def _ours(
    name: str, folder: Path, layer: images.Layer, upperdir: Upperdir, maps: Maps
) -> Iterator[Subject]:
    run, layers = folder / "run", folder / "layers"
    run.mkdir(exist_ok=True)
    tree = layers / "tree" if layers.exists() else trees.build_tree(layers, [layer])
    with ExitStack() as stack:
        mounted = mount_root(
            OverlayRequest(
                folder=run,
                tree=tree,
                layers=(trees.tar_path(tree.parent, 0),),
                uid_ranges=maps.uid.inside_ranges(),
                gid_ranges=maps.gid.inside_ranges(),
                overflow_uid=65534,
                overflow_gid=65534,
                upperdir=upperdir,
                driver=name,
                name="suite",
            )
        )
        stack.callback(mounted.unmount)
        lower = run / "lower" if name == "hybrid" else None
        yield Subject(name, mounted.path, mounted.server.process.pid, lower)
        for target in mounted.mounts:  # nothing may keep it busy
            mount_api.umount(target)
        mounted.mounts = ()


def _require_silence(log: Path) -> None:
    """Raise where our server logged anything: a request that nobody foresaw leaves a traceback."""
    said = log.read_text() if log.exists() else ""
    if said:
        raise AssertionError(f"the server logged:\n{said}")


def memory(pid: int) -> int:
    """Return a process's resident bytes."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
