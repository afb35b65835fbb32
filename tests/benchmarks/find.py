"""Walk a merged image, cold: our file system against fuse-overlayfs and the kernel's overlayfs.

As an ordinary user with sub-IDs:  python tests/benchmarks/find.py --runs 5 --files 40000

The same files as one layer and as forty. Ours is mounted from the store (tars and a merged tree);
the others get the layers unpacked, one folder each. All are mounted in a user and mount namespace
of their own, each mount is new (cold FUSE), what lies below is in the page cache; `find` prints
type, mode, owner, size and time of everything.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import images
from measure import Contender, Unavailable, arguments, compare, heading, rootless, run

from rootless.errors import RootlessError
from rootless.image import names, trees
from rootless.image.store import Store
from rootless.linux import mount_api
from rootless.linux.namespaces import CLONE_NEWNS, unshare
from rootless.overlay.driver import OverlayRequest, mount_root
from rootless.paths import Paths
from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, Maps, choose_maps
from rootless.userns.subid import Caller

FILES_IN_A_FOLDER = 50


def make_layers(files: int, count: int) -> list[images.LayerBuilder]:
    """Spread the files over the layers so that every folder has some of every layer's."""
    layers = [images.LayerBuilder() for _ in range(count)]
    folders = max(1, files // FILES_IN_A_FOLDER)
    seen: list[set[str]] = [set() for _ in layers]
    for number in range(files):
        folder = number % folders
        path = f"usr/share/d{folder % 40:02}/f{folder:05}"
        layer = number // folders % count
        for parent in ("usr", "usr/share", path.rpartition("/")[0], path):
            if parent not in seen[layer]:
                seen[layer].add(parent)
                layers[layer].directory(parent)
        layers[layer].file(f"{path}/file{number:06}", b"x" * (number % 2000))
    return layers


def prepare(folder: Path, files: int, count: int) -> None:
    """Load the layers into a store, and unpack each into a folder."""
    layers = make_layers(files, count)
    images.oci_layout(folder / "layout", layers, tag="walk", compression="gzip")
    run([rootless(), "load", "-q", folder / "layout"], {"ROOTLESS_HOME": str(folder / "store")})
    shutil.rmtree(folder / "layout")
    for number, layer in enumerate(layers):
        target = folder / f"layer{number:02}"
        target.mkdir()
        plain = folder / "layer.tar"
        plain.write_bytes(images.layer_tar(layer))
        with tarfile.open(plain) as tar:
            tar.extractall(target)
        plain.unlink()


def walk(root: Path) -> float:
    """Walk everything once; return the seconds."""
    begin = time.perf_counter()
    subprocess.run(
        ["find", root, "-printf", "%y %m %U %G %s %T@ %P\n"], stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - begin


def inside(
    maps: Maps, result: Path, body: Callable[[], tuple[float, float]]
) -> tuple[float, float]:
    """Run a body in new namespaces; return what it returns."""

    def child() -> None:
        unshare(CLONE_NEWNS)
        mount_api.mount(None, "/", None, mount_api.MS_REC | mount_api.MS_PRIVATE)
        result.write_text(json.dumps(body()))

    try:
        run_inside(maps, child)
    except RootlessError as error:
        raise Unavailable(str(error)) from error
    cold, warm = json.loads(result.read_text())
    return cold, warm


def walk_ours(folder: Path, maps: Maps, driver: str) -> tuple[float, float]:
    """Mount as `rootless run` does and walk twice."""
    store = Store.open(
        Paths.from_environment({"ROOTLESS_HOME": str(folder / "store")}), create=False
    )
    image = names.resolve(store, "walk")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        root = mount_root(
            OverlayRequest(
                folder=Path(work),
                tree=trees.ensure_tree(store, image.config),
                layers=trees.layer_paths(store, image.config),
                uid_ranges=maps.uid.inside_ranges(),
                gid_ranges=maps.gid.inside_ranges(),
                overflow_uid=65534,
                overflow_gid=65534,
                upperdir=None,
                driver=driver,
                name="bench",
            )
        )
        try:
            return walk(root.path), walk(root.path)
        finally:
            root.unmount()
            mount_api.umount(str(Path(work, "scratch")), mount_api.MNT_DETACH)


def lowerdirs(folder: Path) -> list[Path]:
    """Return the unpacked layers, the highest first."""
    return sorted(folder.glob("layer??"), reverse=True)


def walk_fuse_overlayfs(folder: Path) -> tuple[float, float]:
    """Mount the unpacked layers with fuse-overlayfs and walk twice."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        lower = ":".join(map(str, lowerdirs(folder)))
        run(["fuse-overlayfs", "-o", f"lowerdir={lower}", work])
        try:
            return walk(Path(work)), walk(Path(work))
        finally:
            mount_api.umount(work, mount_api.MNT_DETACH)


def walk_kernel(folder: Path) -> tuple[float, float]:
    """Mount the unpacked layers with the kernel's overlayfs and walk twice."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        os.chdir(folder)  # option strings are short
        found = [path.name for path in lowerdirs(folder)]
        if len(found) == 1:
            (folder / "none").mkdir(exist_ok=True)
            found.append("none")
        mount_api.mount("bench", work, "overlay", 0, f"lowerdir={':'.join(found)},userxattr")
        try:
            return walk(Path(work)), walk(Path(work))
        finally:
            mount_api.umount(work, mount_api.MNT_DETACH)


def measure(folder: Path, maps: Maps, files: int, count: int, runs: int) -> None:
    """Measure one number of layers and print its table."""
    prepare(folder, files, count)
    bodies: dict[str, Callable[[], tuple[float, float]]] = {
        "rootless, hybrid": partial(walk_ours, folder, maps, "hybrid"),
        "rootless, fuse": partial(walk_ours, folder, maps, "fuse"),
        "fuse-overlayfs": partial(walk_fuse_overlayfs, folder),
        "kernel overlayfs": partial(walk_kernel, folder),
    }
    warm: dict[str, float] = {}

    def contender(name: str, body: Callable[[], tuple[float, float]]) -> float:
        cold, warm[name] = inside(maps, folder / "result", body)
        return cold

    contenders: dict[str, Contender] = {
        name: partial(contender, name, body) for name, body in bodies.items()
    }
    compare(f"Cold walk, layers: {count}", contenders, runs, unit_ms=1)
    again = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in warm.items())
    print(f"\nThe second walk, last round: {again}")


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "", files=(40000, "files in the image"))
    heading("find", options.runs, f"{options.files} files")
    maps = choose_maps(MapRequest(), Caller.current())
    for count in (1, 40):
        with tempfile.TemporaryDirectory(prefix="rootless-bench-", dir=options.folder) as name:
            measure(Path(name), maps, options.files, count, options.runs)


if __name__ == "__main__":
    main()
