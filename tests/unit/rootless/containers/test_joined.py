"""Namespaces that are there; those of other containers are joined in tests/containers."""

from pathlib import Path

import pytest

from rootless.containers.joined import NETWORK, PID, Joined, is_own, path_of
from rootless.errors import InvalidInput, NotFound, Precondition

OWN = "/proc/self/ns/net"


def test_own() -> None:
    """This process's own is known by any path."""
    assert is_own(NETWORK, OWN)
    assert is_own(NETWORK, "/proc/thread-self/ns/net")
    assert is_own(PID, "/proc/self/ns/pid")
    assert not is_own(NETWORK, "/proc/self/ns/user")
    assert not is_own(PID, "/nonexistent")
    assert path_of(PID, 9) == "/proc/9/ns/pid"


@pytest.mark.parametrize("kind", [NETWORK, PID])
def test_nothing_to_join(kind: str, tmp_path: Path) -> None:
    """What is not there, and what is something else, is refused by what it is."""
    with Joined() as joined:
        with pytest.raises(NotFound, match=f"no such {kind} namespace"):
            joined.open(kind, str(tmp_path / "missing"))
        for path in ("/proc/self/ns/uts", "/etc/passwd", str(tmp_path)):
            with pytest.raises(InvalidInput, match=f"not a {kind} namespace"):
                joined.open(kind, path)
        assert (joined.user_fd, joined.fd_of(kind)) == (-1, -1)


@pytest.mark.needs_user
@pytest.mark.parametrize("kind", [NETWORK, PID])
def test_of_the_host(kind: str) -> None:
    """One that belongs to the host's user namespace is root's to join."""
    with Joined() as joined:
        with pytest.raises(Precondition, match=f"only root can join the {kind} namespace"):
            joined.open(kind, path_of(kind, 0).replace("/0/", "/self/"))
        with pytest.raises(Precondition, match="another user's"):
            joined.open(kind, path_of(kind, 1))
