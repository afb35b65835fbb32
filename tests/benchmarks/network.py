"""Throughput of one TCP connection, out of a container and into it, by what carries the packets.

As an ordinary user with sub-IDs:  python tests/benchmarks/network.py --runs 5 --image LAYOUT:TAG

podman's are with the same slirp4netns; it publishes ports by a program of its own unless told
otherwise. For podman on hosts that mix cgroup v1 with an empty cgroup2 tree see start.py.
"""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from measure import Contender, Unavailable, arguments, compare, heading, rootless, run

_CHUNK = 1 << 20
_SEND = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
data = bytes(1 << 20)
for _ in range(int(sys.argv[3])): connection.sendall(data)
"""
_SERVE = """
import socket, sys
server = socket.create_server(("", 80))
print("ready", flush=True)
connection, _ = server.accept()
data = bytes(1 << 20)
for _ in range(int(sys.argv[1])): connection.sendall(data)
"""


def receive(connection: socket.socket, mebibytes: int) -> float:
    """Read it all; return the seconds from the first byte on."""
    buffer = bytearray(_CHUNK)
    left = mebibytes * _CHUNK - connection.recv_into(buffer)
    begin = time.perf_counter()
    while left > 0:
        count = connection.recv_into(buffer)
        if not count:
            raise Unavailable("the connection ended early")
        left -= count
    return time.perf_counter() - begin


def outwards(words: Sequence[str], image: str, address: str, mebibytes: int) -> Contender:
    """The container sends to a server of this host."""

    def contender() -> float:
        with socket.create_server((address, 0)) as server:
            port = str(server.getsockname()[1])
            command = [*words, image, "python3", "-c", _SEND, address, port, str(mebibytes)]
            with subprocess.Popen(command, stderr=subprocess.DEVNULL):
                server.settimeout(20)
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(60)
                    return receive(connection, mebibytes)

    return contender


def inwards(words: Sequence[str], image: str, mebibytes: int) -> Contender:
    """This host reads from a published port."""

    def contender() -> float:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        options = ["-p", f"127.0.0.1:{port}:80"]
        command = [*words, *options, image, "python3", "-c", _SERVE, str(mebibytes)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                said = process.communicate()[1].decode().strip()
                raise Unavailable(said[-200:])
            with socket.create_connection(("127.0.0.1", port), 60) as connection:
                return receive(connection, mebibytes)

    return contender


def podman(folder: Path, image: str) -> tuple[list[str], str]:
    """Return podman's words and the image's ID in a store of its own."""
    words = ["podman", f"--root={folder}/podman", f"--runroot={folder}/podman-run"]
    words += ["--storage-driver=overlay", "--cgroup-manager=cgroupfs", "--log-level=error"]
    found = run([*words, "pull", "-q", f"oci:{image}"]).stdout.strip()
    return [*words, "run", "--rm", "--cgroups=disabled"], found


def host_address() -> str:
    """Return the address that this host is reached by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        address: str = probe.getsockname()[0]
    return address


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "", mebibytes=(1024, "how much is sent"))
    layout, _, name = options.image.rpartition(":")
    size, address = options.mebibytes, host_address()
    with tempfile.TemporaryDirectory(prefix="rootless-bench-", dir=options.folder) as work:
        folder = Path(work)
        os.environ["ROOTLESS_HOME"] = str(folder / "store")
        run([rootless(), "load", "-q", layout])
        commands: dict[str, tuple[list[str], str]] = {
            f"rootless, {network}": ([rootless(), "run", "--network", network], name)
            for network in ("pasta", "slirp4netns", "host")
        }
        peers = {"podman, slirp4netns": "slirp4netns"}
        published = {"podman, slirp4netns:port_handler": "slirp4netns:port_handler=slirp4netns"}
        words, found = podman(folder, options.image)
        for each, network in {**peers, **published}.items():
            commands[each] = ([*words, "--network", network], found)
        heading("network", options.runs, f"{size} MiB in one connection")
        out = {k: outwards(*v, address, size) for k, v in commands.items() if k not in published}
        compare("Out of a container", out, options.runs)
        into = {k: inwards(*v, size) for k, v in commands.items() if "host" not in k}
        compare("Into a container, by a published port", into, options.runs)
        subprocess.run(
            ["podman", "unshare", "rm", "-rf", folder / "podman", folder / "podman-run"],
            check=False,
            capture_output=True,
        )


if __name__ == "__main__":
    main()
