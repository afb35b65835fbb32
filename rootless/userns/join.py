"""A user namespace that is there already: entered by descriptor (setns(2)), its maps read.

Who made a user namespace has every capability in it (user_namespaces(7)), so that the same user's
next process may enter without a map of its own being written.
"""

import os
from typing import NoReturn

from rootless.errors import InvalidInput, Precondition, RootlessError
from rootless.linux.channel import Channel
from rootless.linux.namespaces import CLONE_NEWUSER, setns
from rootless.userns.idmap import IDMap, Mapping
from rootless.userns.maps import Maps
from rootless.userns.subid import Caller


def enter(fd: int) -> None:
    """Enter the user namespace; raises Precondition where it is somebody else's."""
    try:
        setns(fd, CLONE_NEWUSER)
    except OSError as error:
        raise Precondition(
            f"the user namespace cannot be joined: {error.strerror}",
            fix="only who made it may, and root",
        ) from error


def read_maps(fd: int, caller: Caller) -> Maps:
    """Return the maps of a user namespace, as they look from here.

    Raises:
        Precondition: It is somebody else's.
        InvalidInput: The caller is nobody in it.
    """
    ours, theirs = Channel.pair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _wait_inside(fd, theirs)
    theirs.close()
    try:
        received = ours.receive()
        if received is None:
            raise RootlessError("a helper process ended unexpectedly")
        if "error" in received[0]:
            raise RootlessError.from_record(received[0]["error"])
        uid, gid = (_read(f"/proc/{pid}/{name}") for name in ("uid_map", "gid_map"))
    finally:
        ours.close()
        os.waitpid(pid, 0)
    user_uid, user_gid = uid.to_inside(caller.uid), gid.to_inside(caller.gid)
    if user_uid is None or user_gid is None:
        raise InvalidInput(
            "your own ID is not mapped in the user namespace", f"{caller.uid}:{caller.gid}"
        )
    return Maps(uid, gid, user_uid, user_gid, single=uid.size == 1)


def maps_of(path: str) -> Maps:
    """Return the maps of the user namespace at a path; raises as `read_maps` does."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Precondition(f"cannot join the user namespace: {error.strerror}", path) from error
    try:
        return read_maps(fd, Caller.current())
    finally:
        os.close(fd)


def _wait_inside(fd: int, channel: Channel) -> NoReturn:
    """Enter, say so, and stay until the other end of the channel is closed."""
    try:
        enter(fd)
        channel.send({"entered": True})
        channel.receive()
    except RootlessError as error:
        channel.send({"error": error.to_record()})
    finally:
        os._exit(0)


def _read(path: str) -> IDMap:
    with open(path, encoding="ascii") as file:
        lines = [tuple(map(int, line.split())) for line in file]
    return IDMap(tuple(Mapping(inside, outside, length) for inside, outside, length in lines))
