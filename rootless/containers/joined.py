"""Namespaces that are there already, to be joined, and the user namespace that owns them.

Entering one asks for capabilities in the user namespace that owns it (setns(2), ioctl_ns(2)): who
joins is in that one, so that all that is joined must belong to the same.
"""

import os
from dataclasses import dataclass, field
from typing import Self

from rootless.errors import Conflict, InvalidInput, NotFound, Precondition, RootlessError
from rootless.linux import namespaces

NETWORK, PID = "network", "PID"
_FLAGS = {NETWORK: namespaces.CLONE_NEWNET, PID: namespaces.CLONE_NEWPID}
_FILES = {NETWORK: "net", PID: "pid"}
_OWN_USER = "/proc/self/ns/user"


@dataclass(slots=True)
class Joined:
    """Namespaces to join, and the user namespace that owns them, kept open.

    Attributes:
        user_fd: The owner; -1 where nothing is joined.
    """

    user_fd: int = -1
    _fds: dict[str, int] = field(default_factory=dict)

    def open(self, kind: str, path: str) -> None:
        """Open one more, NETWORK or PID.

        Raises:
            NotFound, InvalidInput, Precondition: There is none at the path, or it is not for you.
            Conflict: It belongs to another user namespace than what was opened before.
        """
        fd = _open(kind, path)
        try:
            owner_fd = _open_owner(fd, kind, path)
        except BaseException:
            os.close(fd)
            raise
        if self.user_fd >= 0:
            is_same = os.path.samestat(os.fstat(owner_fd), os.fstat(self.user_fd))
            os.close(owner_fd)
            if not is_same:
                os.close(fd)
                raise Conflict(
                    "what is to be joined belongs to two user namespaces",
                    path,
                    "name one container for both, or one that has joined the other",
                )
        else:
            self.user_fd = owner_fd
        self._fds[kind] = fd

    def fd_of(self, kind: str) -> int:
        """Return the descriptor of a namespace, -1 where none of the kind is joined."""
        return self._fds.get(kind, -1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all; harmless when repeated."""
        for fd in (self.user_fd, *self._fds.values()):
            if fd >= 0:
                os.close(fd)
        self.user_fd = -1
        self._fds.clear()


def path_of(kind: str, pid: int) -> str:
    """Return the path of a process's namespace."""
    return f"/proc/{pid}/ns/{_FILES[kind]}"


def is_own(kind: str, path: str) -> bool:
    """Tell whether a path leads to this process's own namespace."""
    try:
        return os.path.samefile(path, f"/proc/self/ns/{_FILES[kind]}")
    except OSError:
        return False


def _open(kind: str, path: str) -> int:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"no such {kind} namespace", path) from error
    except PermissionError as error:
        raise Precondition(f"the {kind} namespace is another user's", path) from error
    try:
        flag = namespaces.clone_flag(fd)
    except OSError:
        flag = 0
    if flag != _FLAGS[kind]:
        os.close(fd)
        raise InvalidInput(
            f"not a {kind} namespace", path, f"such as ns:/proc/PID/ns/{_FILES[kind]}"
        )
    return fd


def _open_owner(fd: int, kind: str, path: str) -> int:
    refused = Precondition(
        f"only root can join the {kind} namespace",
        path,
        "it does not belong to a user namespace of yours, as those of your containers do",
    )
    try:
        owner_fd = namespaces.owner_of(fd)
    except PermissionError as error:
        raise refused from error
    except OSError as error:
        raise RootlessError(f"cannot be joined: {error.strerror}", path) from error
    if os.path.samestat(os.stat(_OWN_USER), os.fstat(owner_fd)):
        os.close(owner_fd)
        raise refused
    return owner_fd
