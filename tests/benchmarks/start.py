"""Start a container that does nothing: `rootless run IMAGE true` against podman and others.

crun, runc, bubblewrap and ch-run start from the image's layers as an unpacked folder, with its
files the caller's: what is before that is not in their numbers. Medians and minima, as other work
on the machine lengthens all.

As an ordinary user with sub-IDs:  python tests/benchmarks/start.py --runs 20 --image LAYOUT:TAG

Warm: the image is in each store and in the page cache, and the first three have a namespace holder.
podman 4.3 with crun refuses hosts that mix cgroup v1 with an empty cgroup2 tree under
/sys/fs/cgroup/unified; start the benchmark there with

    unshare -m sh -c 'umount /sys/fs/cgroup/unified; exec runuser -u USER -- python …/start.py …'
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Contender, Unavailable, arguments, compare, heading, rootless, run, timed


def surroundings(folder: Path, holder: str = "runtime") -> dict[str, str]:
    """Return the variables of our store, and of a holder that is no one else's."""
    runtime = folder / holder
    runtime.mkdir(mode=0o700, exist_ok=True)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    where = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    return {"ROOTLESS_HOME": str(folder / "store"), **where}


def ours(folder: Path, layout: str, name: str, *options: str, holder: str = "runtime") -> Contender:
    """`rootless run` with these options, in a store that holds the image; "" for no holder."""
    env = {**surroundings(folder, holder or "runtime"), "ROOTLESS_HOLDER": "" if holder else "off"}
    if not (folder / "store").exists():
        run([rootless(), "load", "-q", layout], env)
    words = ["run", *options, name, "true"]

    def contender() -> float:
        if not holder:
            return timed([rootless(), *words], env)
        warm(words, env)
        if "-it" in options:
            return timed_on_terminal([rootless(), *words], env)
        return timed([rootless(), *words], env)

    return contender


def alias(folder: Path, name: str) -> Contender:
    """A command of the PATH that `rootless alias add` has put there."""
    env = {**surroundings(folder, "runtime-alias"), "ROOTLESS_HOLDER": ""}
    shim = folder / "home/.local/bin/true"

    def contender() -> float:
        if not shim.exists():
            run([rootless(), "alias", "add", "true", "--image", name], env)
        line = shlex.split(shim.read_text().splitlines()[-1])
        warm(line[2:-1], env)  # between `exec rootless` and "$@"
        run([shim], env)  # sh may have set a variable more
        time.sleep(0.3)
        return timed([shim], env)

    return contender


def warm(words: list[str], env: dict[str, str]) -> None:
    """Run it until a holder serves it, and give that the time between two commands."""
    deadline = time.monotonic() + 30
    while "client: told what to do" not in run([rootless(), "--timings", *words], env).stderr:
        if time.monotonic() > deadline:
            raise Unavailable("no holder comes to serve it")
    time.sleep(0.3)  # the next keeper is put in stock


def timed_on_terminal(words: list[str], env: dict[str, str]) -> float:
    """Run a program on a terminal; return its wall-clock seconds."""
    master, slave = os.openpty()
    try:
        begin = time.perf_counter()
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        done = subprocess.run(words, env={**os.environ, **env}, check=False, **streams)
        if done.returncode:
            raise Unavailable(f"{words[0]}: status {done.returncode}")
        return time.perf_counter() - begin
    finally:
        os.close(master)
        os.close(slave)


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


def charliecloud(folder: Path, image: str) -> Contender:
    """`ch-run` on the unpacked folder: a user namespace and a mount namespace, no more."""

    def contender() -> float:
        return timed(["ch-run", unpacked(folder, image) / "rootfs", "--", "true"])

    return contender


def print_memory(folder: Path) -> None:
    """Print what a holder takes up just after a run, as the share of what is resident (PSS)."""
    runtime = surroundings(folder)["XDG_RUNTIME_DIR"]
    print("\n### Memory after it\n\n| process | MiB |\n| --- | --- |")
    total = 0.0
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"rootless.keeper" in words and f"{runtime}/rootless".encode() in words:
                text = (entry / "smaps_rollup").read_text()
                size = next(int(each.split()[1]) for each in text.splitlines() if "Pss:" in each)
                print(f"| {(entry / 'comm').read_text().strip()} | {size / 1024:.1f} |")
                total += size / 1024
        except OSError:
            continue  # no process, or not ours
    print(f"| all, but for the first process in stock, which none may look at | {total:.1f} |")


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "")
    layout, _, name = options.image.rpartition(":")
    with tempfile.TemporaryDirectory(prefix="rootless-bench-", dir=options.folder) as work:
        folder = Path(work)
        contenders = {
            "rootless run": ours(folder, layout, name),
            "rootless run -it": ours(folder, layout, name, "-it", holder="runtime-it"),
            "an alias": alias(folder, name),
            "rootless run, ROOTLESS_HOLDER=off": ours(folder, layout, name, holder=""),
            "podman run": podman(folder, options.image),
            "crun run": runtime(folder, options.image, "crun"),
            "runc run": runtime(folder, options.image, "runc"),
            "bwrap": bubblewrap(folder, options.image),
            "ch-run": charliecloud(folder, options.image),
            "python -c pass (for scale)": lambda: timed([sys.executable, "-c", "pass"]),
        }
        heading("start", options.runs)
        compare("Start a container that does nothing", contenders, options.runs, unit_ms=1)
        print_memory(folder)
        for holder in ("runtime", "runtime-it", "runtime-alias"):
            run([rootless(), "system", "shutdown"], surroundings(folder, holder))
        subprocess.run(
            ["podman", "unshare", "rm", "-rf", folder / "podman", folder / "podman-run"],
            check=False,
            capture_output=True,
        )


if __name__ == "__main__":
    main()
