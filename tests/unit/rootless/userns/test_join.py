"""A user namespace that is there: entered, and its maps read."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.errors import InvalidInput, Precondition
from rootless.userns.idmap import IDMap, Mapping
from rootless.userns.join import enter, maps_of, read_maps
from rootless.userns.subid import Caller

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]


@pytest.fixture
def namespace_fd() -> Iterator[int]:
    """A user namespace in which the caller is 5:6."""
    command = ["unshare", "--user", "--map-user=5", "--map-group=6", "sh", "-c", "echo; read _"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        fd = os.open(f"/proc/{process.pid}/ns/user", os.O_RDONLY)
        yield fd
        os.close(fd)
        process.communicate(b"\n")


def test_maps(namespace_fd: int) -> None:
    """The maps are those that the namespace has, in the caller's own IDs."""
    caller = Caller(os.getuid(), os.getgid())
    maps = read_maps(namespace_fd, caller)
    assert maps.uid == IDMap((Mapping(5, caller.uid, 1),))
    assert maps.gid == IDMap((Mapping(6, caller.gid, 1),))
    assert (maps.user_uid, maps.user_gid, maps.single) == (5, 6, True)


def test_a_caller_who_is_nobody_there(namespace_fd: int) -> None:
    """Whoever has no ID in it cannot run anything there."""
    with pytest.raises(InvalidInput, match="not mapped in the user namespace: 12345:6"):
        read_maps(namespace_fd, Caller(12345, 6))


def test_of_somebody_else() -> None:
    """The host's own is nobody's to enter, and the kernel's reason is told."""
    with open("/proc/self/ns/user") as file:
        with pytest.raises(Precondition, match="cannot be joined: Invalid argument"):
            enter(file.fileno())
        with pytest.raises(Precondition, match="cannot be joined"):
            read_maps(file.fileno(), Caller.current())


def test_maps_of_a_path_that_is_not_there(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(Precondition, match="cannot join the user namespace: No such file"):
        maps_of(str(tmp_path / "none"))
