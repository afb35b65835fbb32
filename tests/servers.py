"""Servers for tests of networks: in a container, on this host; and what reaches them."""

import contextlib
import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from executable import Rootless

from rootless.containers.network.plan import has_route

FORWARDERS = ("pasta", "slirp4netns")

# In a container: `tcp PORT`, `tcp6 PORT` or `udp PORT`; each who asks is told his address.
SERVE = """
import socket, sys
what, port = sys.argv[1], int(sys.argv[2])
kind = socket.SOCK_DGRAM if what == "udp" else socket.SOCK_STREAM
server = socket.socket(socket.AF_INET6 if what == "tcp6" else socket.AF_INET, kind)
server.bind(("", port))
if what != "udp": server.listen()
print("ready", flush=True)
while True:
    if what != "udp":
        connection, peer = server.accept()
        connection.sendall(f"tcp for {peer[0]}".encode())
        connection.close()
    else:
        asked, peer = server.recvfrom(512)
        server.sendto(f"udp {asked.decode()} for {peer[0]}".encode(), peer)
"""

# In a container: print what a TCP server says.
ASK = """
import socket, sys
try: print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).recv(99).decode())
except OSError as error: print(f"refused: {error}")
"""

# In a container: name server of a name, on port 53 of the loopback.
NAME_SERVER = """
import socket, struct
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    asked, peer = server.recvfrom(512)
    end = asked.index(0, 12) + 5
    wants_ipv4 = asked[end - 4:end] == b"\\0\\1\\0\\1"
    head = asked[:2] + struct.pack(">5H", 0x8180, 1, int(wants_ipv4), 0, 0) + asked[12:end]
    answer = struct.pack(">HHHIH4B", 0xC00C, 1, 1, 60, 4, 203, 0, 113, 5) if wants_ipv4 else b""
    server.sendto(head + answer, peer)
"""


def need_tun() -> None:
    """Skip where the kernel has no tun device; pasta and slirp4netns are made of it."""
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("needs kernel with tun")


def need_route() -> None:
    """Skip where this host has no way out: pasta refuses to start then."""
    if not has_route():
        pytest.skip("needs a default route")


@contextlib.contextmanager
def running(
    rootless: Rootless, *words: str, script: str = SERVE, arguments: tuple[str, ...] = ()
) -> Iterator["subprocess.Popen[bytes]"]:
    """Give a container with a Python program in it, from when it says that it is ready."""
    command = ("debian-demo", "python3", "-c", script, *arguments)
    with rootless.start(
        "run", *words, *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if line != b"ready\n":
                _, said = process.communicate(timeout=20)
                pytest.fail(f"it did not start: {line!r} {said.decode()}")
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port that nobody has at the moment, and that no outgoing connection is given."""
    while True:
        port = secrets.randbelow(20_000) + 10_000
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind(("0.0.0.0", port))
            return port


def ask_tcp(address: str, port: int) -> str:
    """Return what a server says; connections that are cut without a word are its absence."""
    with socket.create_connection((address, port), 10) as connection:
        return connection.recv(99).decode()


def ask_udp(address: str, port: int, word: str) -> str:
    """Return a server's answer to a word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(10)
        asking.sendto(word.encode(), (address, port))
        return asking.recv(99).decode()


@dataclass(frozen=True, slots=True)
class HostServer:
    """A TCP server of this process; its secret is what only it could have said."""

    port: int
    secret: str


@contextlib.contextmanager
def host_server(address: str) -> Iterator[HostServer]:
    """Serve a secret on an address of this host."""
    secret = os.urandom(8).hex()
    with socket.create_server((address, 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(secret.encode())

        thread = threading.Thread(target=serve)
        thread.start()
        yield HostServer(server.getsockname()[1], secret)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
