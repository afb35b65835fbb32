"""Start a container that does nothing: `rootless run IMAGE true` against podman and others.

crun, runc and bubblewrap start from the image's layers as an unpacked folder, with its files the
caller's: what is before that is not in their numbers. Medians and minima, as other work on the
machine lengthens all.

As an ordinary user with sub-IDs:  python tests/benchmarks/start.py --runs 20 --image LAYOUT:TAG

Warm: the image is in each store and in the page cache. podman 4.3 with crun refuses hosts that mix
cgroup v1 with an empty cgroup2 tree under /sys/fs/cgroup/unified; start the benchmark there with

    unshare -m sh -c 'umount /sys/fs/cgroup/unified; exec runuser -u USER -- python …/start.py …'
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Contender, Unavailable, arguments, compare, heading, rootless, run, timed


def ours(folder: Path, layout: str, name: str, *options: str) -> Contender:
    """`rootless run` with these options, in a store that holds the image."""
    env = {"ROOTLESS_HOME": str(folder / "store")}
    if not (folder / "store").exists():
        run([rootless(), "load", "-q", layout], env)
    words = [rootless(), "run", *options, name, "true"]

    def contender() -> float:
        return timed(words, env)

    return contender


def podman(folder: Path, image: str) -> Contender:
    """`podman run` without network and cgroups, which is the quickest it has."""
    where = [
        f"--root={folder}/podman",
        f"--runroot={folder}/podman-run",
        "--storage-driver=overlay",
        "--cgroup-manager=cgroupfs",
        "--log-level=error",
    ]
    # its own process that keeps namespaces, started here: another may have other mounts
    env = {"XDG_RUNTIME_DIR": f"{folder}/podman-xdg"}
    Path(env["XDG_RUNTIME_DIR"]).mkdir(mode=0o700)
    state: dict[str, str] = {}

    def contender() -> float:
        if not state:
            try:
                state["id"] = run(
                    ["podman", *where, "pull", "-q", f"oci:{image}"], env
                ).stdout.strip()
            except Unavailable as error:
                state["failed"] = str(error)
        if "failed" in state:
            raise Unavailable(state["failed"])
        options = ["--rm", "--network=host", "--cgroups=disabled"]
        return timed(["podman", *where, "run", *options, state["id"], "true"], env)

    return contender


def unpacked(folder: Path, image: str) -> Path:
    """Return an OCI bundle of the image's files, for the runtimes."""
    bundle = folder / "bundle"
    if not bundle.exists():
        bundle.mkdir()
        run(["umoci", "unpack", "--rootless", "--image", image, bundle / "unpacked"])
        (bundle / "unpacked/rootfs").rename(bundle / "rootfs")
        run([rootless(), "runtime", "spec", "--rootless", "--bundle", bundle])
        config = json.loads((bundle / "config.json").read_bytes())
        config["process"] |= {"args": ["true"], "terminal": False}
        (bundle / "config.json").write_text(json.dumps(config))
    return bundle


def runtime(folder: Path, image: str, program: str) -> Contender:
    """An OCI runtime by itself."""

    def contender() -> float:
        bundle = unpacked(folder, image)
        where = f"--root={folder}/{program}"
        return timed([program, where, "run", "--bundle", bundle, f"b{time.monotonic_ns()}"])

    return contender


def bubblewrap(folder: Path, image: str) -> Contender:
    """Bubblewrap with namespaces of its own, all but the network's."""

    def contender() -> float:
        root = unpacked(folder, image) / "rootfs"
        words = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
        return timed(
            ["bwrap", *words, "--bind", root, "/", "--proc", "/proc", "--dev", "/dev", "true"]
        )

    return contender


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "")
    layout, _, name = options.image.rpartition(":")
    with tempfile.TemporaryDirectory(prefix="rootless-bench-", dir=options.folder) as work:
        folder = Path(work)
        contenders = {
            "rootless run": ours(folder, layout, name),
            "rootless run --read-only": ours(folder, layout, name, "--read-only"),
            "rootless run --overlay-driver fuse": ours(
                folder, layout, name, "--overlay-driver", "fuse"
            ),
            "rootless run --userns single": ours(folder, layout, name, "--userns", "single"),
            "podman run": podman(folder, options.image),
            "crun run": runtime(folder, options.image, "crun"),
            "runc run": runtime(folder, options.image, "runc"),
            "bwrap": bubblewrap(folder, options.image),
            "python -c pass (for scale)": lambda: timed([sys.executable, "-c", "pass"]),
        }
        heading("start", options.runs)
        compare("Start a container that does nothing", contenders, options.runs, unit_ms=1)
        subprocess.run(
            ["podman", "unshare", "rm", "-rf", folder / "podman", folder / "podman-run"],
            check=False,
            capture_output=True,
        )


if __name__ == "__main__":
    main()
