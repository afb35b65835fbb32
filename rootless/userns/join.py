"""A user namespace that exists: which IDs it maps (user_namespaces(7)).

The maps are files of a process, not of the namespace: so a child joins it and tells them.
"""

import os
from typing import NoReturn

from rootless.errors import RootlessError
from rootless.linux.channel import Channel
from rootless.linux.namespaces import CLONE_NEWUSER, setns
from rootless.userns.idmap import IDMap, Mapping
from rootless.userns.maps import Maps


def maps_of(path: str) -> Maps:
    """Return the maps of the user namespace at a path; raises RootlessError where it is closed."""
    ours, theirs = Channel.pair()
    try:
        pid = os.fork()
        if pid == 0:
            _tell(path, theirs)
        theirs.close()
        received = ours.receive()
        os.waitpid(pid, 0)
    finally:
        theirs.close()
        ours.close()
    message = {} if received is None else received[0]
    if "uid" not in message:
        raise RootlessError(
            f"cannot join the user namespace: {message.get('error', 'its process ended')}", path
        )
    uid, gid = parse_map(message["uid"]), parse_map(message["gid"])
    return Maps(
        uid,
        gid,
        user_uid=message["ids"][0],
        user_gid=message["ids"][1],
        single=uid.size == 1,
    )


def parse_map(text: str) -> IDMap:
    """Return what /proc/PID/uid_map or gid_map says."""
    lines = (tuple(int(number) for number in line.split()) for line in text.splitlines())
    return IDMap(tuple(Mapping(*line) for line in lines))


def _tell(path: str, channel: Channel) -> NoReturn:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        setns(fd, CLONE_NEWUSER)
        maps = {}
        for name in ("uid", "gid"):
            with open(f"/proc/self/{name}_map", encoding="ascii") as file:
                maps[name] = file.read()
        channel.send({**maps, "ids": [os.getuid(), os.getgid()]})
    except OSError as error:
        channel.send({"error": error.strerror or str(error)})
    finally:
        os._exit(0)
