"""From a decided network to a process that is in it: the supervisor's part.

The supervisor enters the network's namespace before PID 1 is forked, so that the first line of the
workload has the network, and no process of the container ever sees the host's.
"""

import contextlib
import os

from rootless.containers.network import host_ports, namespace, pasta, slirp4netns
from rootless.containers.network.forwarder import Forwarder, start
from rootless.containers.network.network import JOINED, Network
from rootless.errors import Precondition
from rootless.linux.namespaces import CLONE_NEWNET, setns

_TCP_WMEM = "/proc/sys/net/ipv4/tcp_wmem"
_MOST_UNSENT = 256 << 10


def attach(network: Network, joined_fd: int, folder: str) -> Forwarder | None:
    """Move this process into a container's network; return the program that carries its packets.

    Args:
        network: What was decided; "host" and "none" are left to the spec.
        joined_fd: The namespace of a network that is joined.
        folder: The run's folder.

    Raises:
        Conflict: A port is in use.
        Precondition: The host lacks what the network needs.
        RootlessError: The program ended; with its words.
    """
    if network.kind == JOINED:
        _enter(joined_fd)
        return None
    if not network.has_forwarder:
        return None
    host_ports.check_free(network.ports)
    network_fd = namespace.make()
    try:
        forwarder = _start(network, network_fd, folder)
        try:
            _enter(network_fd)
            if network.kind == "pasta":
                _limit_sending()
        except BaseException:
            forwarder.stop()
            raise
    finally:
        os.close(network_fd)
    return forwarder


def _start(network: Network, network_fd: int, folder: str) -> Forwarder:
    if network.kind == "pasta":
        return start("pasta", pasta.command(network), network_fd, folder)
    command = slirp4netns.command(network, is_root=os.geteuid() == 0)
    forwarder = start("slirp4netns", command, network_fd, folder)
    try:
        if network.ports:
            slirp4netns.publish(network, folder)
    except BaseException:
        forwarder.stop()
        raise
    return forwarder


def _limit_sending() -> None:
    """Let a connection of this namespace have 256 KiB on the way, unless it asks for more.

    pasta takes no more than its socket to the other side does, and promises more than that. What
    it drops comes again only by the sender's timer: of 2023-03 it was seen to stall for 20 s, and
    to reset the connection, where the kernel's 4 MiB were on the way.
    """
    with contextlib.suppress(OSError), open(_TCP_WMEM, "r+", encoding="ascii") as file:
        least, default, most = map(int, file.read().split())
        file.seek(0)
        file.write(f"{least} {default} {min(most, _MOST_UNSENT)}")


def _enter(fd: int) -> None:
    try:
        setns(fd, CLONE_NEWNET)
    except OSError as error:
        raise Precondition(f"the network cannot be joined: {error.strerror}") from error
