"""From a decided network to a process that is in it: the supervisor's part.

The supervisor enters the network's namespace before PID 1 is forked, so that the first line of the
workload has the network, and no process of the container ever sees the host's.
"""

import os

from rootless.containers.network import host_ports, namespace, pasta, slirp4netns
from rootless.containers.network.forwarder import Forwarder, start
from rootless.containers.network.network import JOINED, Network
from rootless.errors import Precondition
from rootless.linux.namespaces import CLONE_NEWNET, setns


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


def _enter(fd: int) -> None:
    try:
        setns(fd, CLONE_NEWNET)
    except OSError as error:
        raise Precondition(f"the network cannot be joined: {error.strerror}") from error
