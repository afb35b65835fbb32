"""From nothing to the first output of a program, over a slow link: ours, lazily, against podman.

As an ordinary user with sub-IDs, with docker-registry and skopeo:

    python tests/benchmarks/lazy_image.py DIR            # as root
    python tests/benchmarks/lazy.py --runs 3 --image DIR/layout:laboratory

The image is written again with eStargz layers (once, beside the layout) and put into a registry on
loopback. All contenders have the same image from the same registry over the same link, 100 Mbit/s
and 20 ms for the way there and back, in user space (tests/link.py); each begins with an empty store
and ends when the first line of `python3 -c 'print(1)'` is there.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import lazy_images
from fault_proxy import fault_proxy
from measure import Contender, Unavailable, arguments, compare, heading, rootless, run
from registries import fill, registry

PROGRAM = ["python3", "-c", "print(1)"]
BANDWIDTH = 12.5e6
DELAY = 0.01


def first_line(words: Sequence[str | Path], env: Mapping[str, str] | None = None) -> float:
    """Start a program; return the seconds until its first line, and wait for its end."""
    begin = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        took = time.perf_counter() - begin
        _, said = process.communicate()
    if line != b"1\n":
        raise Unavailable(f"{words[0]}: {said.decode(errors='replace').strip()[-200:]}")
    return took


def ours(folder: Path, image: str, lazy: str) -> Contender:
    """`rootless run` with an empty store."""

    def contender() -> float:
        with tempfile.TemporaryDirectory(prefix="store-", dir=folder) as store:
            options = ["-q", "--tls-verify=false", "--lazy", lazy]
            env = {"ROOTLESS_HOME": store}
            return first_line([rootless(), "run", *options, image, *PROGRAM], env)

    return contender


def podman(folder: Path, image: str) -> Contender:
    """`podman pull` and `podman run`, without network and cgroups, which is the quickest it has."""
    where = [f"--root={folder}/podman", f"--runroot={folder}/podman-run"]
    where += ["--storage-driver=overlay", "--log-level=error", "--cgroup-manager=cgroupfs"]
    options = ["--rm", "--network=none", "--cgroups=disabled"]

    def contender() -> float:
        run(["podman", "unshare", "rm", "-rf", folder / "podman", folder / "podman-run"])
        begin = time.perf_counter()
        run(["podman", *where, "pull", "-q", "--tls-verify=false", image])
        pulled = time.perf_counter() - begin
        return pulled + first_line(["podman", *where, "run", *options, image, *PROGRAM])

    return contender


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "")
    layout = Path(options.image.rpartition(":")[0])
    estargz = layout.with_name("estargz")
    if not estargz.exists():
        lazy_images.chunked(options.image, estargz, "estargz")
    size = sum(f.stat().st_size for f in (estargz / "blobs/sha256").iterdir())
    with tempfile.TemporaryDirectory(prefix="rootless-bench-", dir=options.folder) as name:
        folder = Path(name)
        with registry(folder / "registry") as server:
            fill(server, f"oci:{estargz}:image", "laboratory:1", "--preserve-digests")
            with fault_proxy(server.host, bandwidth=BANDWIDTH, delay=DELAY) as link:
                image = f"{link.host}/laboratory:1"
                note = f"image: {size >> 20} MiB compressed; user {os.getuid()}"
                heading("lazy", options.runs, note)
                contenders = {
                    "rootless run, lazily": ours(folder, image, "auto"),
                    "rootless run --lazy never": ours(folder, image, "never"),
                    "podman pull, podman run": podman(folder, image),
                }
                compare("From nothing to the first output", contenders, options.runs)
        subprocess.run(
            ["podman", "unshare", "rm", "-rf", folder / "podman", folder / "podman-run"],
            check=False,
            capture_output=True,
        )


if __name__ == "__main__":
    main()
