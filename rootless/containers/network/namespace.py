"""Network namespaces: a new one is made (network_namespaces(7)); `joined` has those that are there.

A process that has left the host's network cannot go back: entering a namespace asks for
capabilities in the user namespace that owns it (setns(2)). So a new one is made by a child, and
comes as a descriptor: its maker can still start the program that connects it from outside.
"""

import errno
import os
from typing import NoReturn

from rootless.errors import Precondition
from rootless.linux import namespaces
from rootless.linux.channel import Channel
from rootless.runtime.network import bring_loopback_up

_OWN = "/proc/self/ns/net"


def make() -> int:
    """Return a descriptor of a new network namespace, its loopback up; raises Precondition."""
    ours, theirs = Channel.pair()
    pid = os.fork()
    if pid == 0:
        _make_and_send(theirs)
    theirs.close()
    try:
        received = ours.receive()
    finally:
        ours.close()
        os.waitpid(pid, 0)
    if received is None or not received[1]:
        number = 0 if received is None else int(received[0]["errno"])
        fix = "the sysctl user.max_net_namespaces forbids more" if number == errno.ENOSPC else ""
        raise Precondition(
            f"no network namespace can be made: {os.strerror(number)}", fix=fix, check="network"
        )
    return received[1][0]


def _make_and_send(channel: Channel) -> NoReturn:
    try:
        namespaces.unshare(namespaces.CLONE_NEWNET)
        bring_loopback_up()
        channel.send({"errno": 0}, [os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)])
    except OSError as error:
        channel.send({"errno": error.errno or errno.EIO})
    finally:
        os._exit(0)
