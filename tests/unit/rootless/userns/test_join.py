"""Maps of a user namespace that exists."""

import os

import pytest

from rootless.errors import RootlessError
from rootless.linux.namespaces import CLONE_NEWUSER, unshare
from rootless.userns.idmap import Mapping
from rootless.userns.join import maps_of, parse_map


def test_parse() -> None:
    """Lines of uid_map are three numbers."""
    text = "         0       1000          1\n         1     100000      65536\n"
    assert parse_map(text).mappings == (Mapping(0, 1000, 1), Mapping(1, 100000, 65536))
    assert parse_map("").mappings == ()


@pytest.mark.both_users
@pytest.mark.needs_user
def test_maps_of_a_child() -> None:
    """The maps of another process's namespace are told as that process sees them."""
    ready_fd, wait_fd = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            uid = os.getuid()
            unshare(CLONE_NEWUSER)
            with open("/proc/self/uid_map", "w", encoding="ascii") as file:
                file.write(f"7 {uid} 1\n")
            os.write(ready_fd[1], b"x")
            os.close(wait_fd[1])
            os.read(wait_fd[0], 1)
        finally:
            os._exit(0)
    os.read(ready_fd[0], 1)
    try:
        maps = maps_of(f"/proc/{pid}/ns/user")
    finally:
        for fd in (*ready_fd, *wait_fd):
            os.close(fd)
        os.waitpid(pid, 0)
    assert maps.uid.mappings == (Mapping(7, os.getuid(), 1),)
    assert maps.gid.mappings == ()
    assert (maps.user_uid, maps.user_gid, maps.single) == (7, 65534, True)


def test_refused() -> None:
    """One line says why a namespace cannot be looked into."""
    with pytest.raises(RootlessError, match=r"cannot join the user namespace: No such.*: /none"):
        maps_of("/none")
    with pytest.raises(RootlessError, match=r"Invalid argument: /proc/self/ns/net"):
        maps_of("/proc/self/ns/net")
