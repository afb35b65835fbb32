"""Load an image: ours against `podman pull oci:` and `umoci unpack --rootless`.

As an ordinary user with sub-IDs:  python tests/benchmarks/load.py --runs 5 --image LAYOUT:TAG

Each run starts with an empty store; the layout itself is in the page cache for all of them. Every
contender verifies digests and decompresses; podman and umoci also unpack, which is the point.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from measure import Contender, arguments, compare, heading, rootless, run, timed


def ours(folder: Path, layout: str) -> Contender:
    """`rootless load` into a new store."""

    def contender() -> float:
        store = folder / "store"
        shutil.rmtree(store, ignore_errors=True)
        return timed([rootless(), "load", "-q", layout], {"ROOTLESS_HOME": str(store)})

    return contender


def podman(folder: Path, image: str) -> Contender:
    """`podman pull oci:` into a new store of its own."""
    where = [f"--root={folder}/podman", f"--runroot={folder}/podman-run"]
    quiet = [*where, "--storage-driver=overlay", "--log-level=error"]

    def contender() -> float:
        run(["podman", "unshare", "rm", "-rf", folder / "podman"])
        return timed(["podman", *quiet, "pull", "-q", f"oci:{image}"])

    return contender


def umoci(folder: Path, image: str) -> Contender:
    """`umoci unpack --rootless` into a new bundle."""
    bundle = folder / "bundle"

    def contender() -> float:
        remove(bundle)
        return timed(["umoci", "unpack", "--rootless", "--image", image, bundle])

    return contender


def remove(folder: Path) -> None:
    """Remove a tree with folders that even their owner may not write."""
    if folder.exists():
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder)


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "")
    layout = options.image.rpartition(":")[0]
    size = sum(f.stat().st_size for f in Path(layout).rglob("*") if f.is_file())
    with tempfile.TemporaryDirectory(prefix="rootless-bench-", dir=options.folder) as name:
        folder = Path(name)
        # all blobs into the page cache
        for blob in Path(layout).rglob("*"):
            if blob.is_file():
                blob.read_bytes()
        heading("load", options.runs, f"image: {size >> 20} MiB compressed; user {os.getuid()}")
        contenders = {
            "rootless load": ours(folder, layout),
            "podman pull oci: (overlay)": podman(folder, options.image),
            "umoci unpack --rootless": umoci(folder, options.image),
        }
        compare("Load an image into an empty store", contenders, options.runs)
        subprocess.run(
            ["podman", "unshare", "rm", "-rf", folder / "podman", folder / "podman-run"],
            check=False,
            capture_output=True,
        )
        remove(folder / "bundle")


if __name__ == "__main__":
    main()
