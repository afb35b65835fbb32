"""Network namespaces: a new one is made, one that is there is opened (network_namespaces(7)).

A process that has left the host's network cannot go back: entering a namespace asks for
capabilities in the user namespace that owns it (setns(2)). So a new one is made by a child, and
comes as a descriptor: its maker can still start the program that connects it from outside.
"""

import errno
import os
from dataclasses import dataclass
from typing import NoReturn, Self

from rootless.errors import InvalidInput, NotFound, Precondition, RootlessError
from rootless.linux import namespaces
from rootless.linux.channel import Channel
from rootless.runtime.network import bring_loopback_up

_OWN = "/proc/self/ns/net"
_OWN_USER = "/proc/self/ns/user"


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


def is_own(path: str) -> bool:
    """Tell whether a path leads to this process's own network namespace."""
    try:
        return os.path.samefile(path, _OWN)
    except OSError:
        return False


@dataclass(slots=True)
class Joined:
    """A network namespace to join, and the user namespace that owns it, kept open."""

    network_fd: int
    user_fd: int

    @classmethod
    def open(cls, path: str) -> Self:
        """Open both; raises NotFound, InvalidInput or Precondition."""
        network_fd = _open(path)
        try:
            user_fd = _open_owner(network_fd, path)
        except BaseException:
            os.close(network_fd)
            raise
        return cls(network_fd, user_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close both; harmless when repeated."""
        for fd in (self.network_fd, self.user_fd):
            if fd >= 0:
                os.close(fd)
        self.network_fd = self.user_fd = -1


def _open(path: str) -> int:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound("no such network namespace", path) from error
    except PermissionError as error:
        raise Precondition("the network namespace is another user's", path) from error
    try:
        kind = namespaces.clone_flag(fd)
    except OSError:
        kind = 0
    if kind != namespaces.CLONE_NEWNET:
        os.close(fd)
        raise InvalidInput("not a network namespace", path, "such as ns:/proc/PID/ns/net")
    return fd


def _open_owner(network_fd: int, path: str) -> int:
    refused = Precondition(
        "only root can join the network namespace",
        path,
        "it does not belong to a user namespace of yours, as those of your containers do",
    )
    try:
        fd = namespaces.owner_of(network_fd)
    except PermissionError as error:
        raise refused from error
    except OSError as error:
        raise RootlessError(f"cannot be joined: {error.strerror}", path) from error
    if _is_own_user(fd):
        os.close(fd)
        raise refused
    return fd


def _is_own_user(fd: int) -> bool:
    own = os.stat(_OWN_USER)
    return os.path.samestat(own, os.fstat(fd))
