"""Network namespaces that are there; a new one wants a user namespace (tests/run)."""

from pathlib import Path

import pytest

from rootless.containers.network.namespace import Joined, is_own, make
from rootless.errors import InvalidInput, NotFound, Precondition

OWN = "/proc/self/ns/net"


def test_own() -> None:
    """This process's own is known by any path."""
    assert is_own(OWN)
    assert is_own("/proc/thread-self/ns/net")
    assert not is_own("/proc/self/ns/user")
    assert not is_own("/nonexistent")


def test_nothing_to_join(tmp_path: Path) -> None:
    """What is not there, and what is something else, is refused by what it is."""
    with pytest.raises(NotFound, match="no such network namespace"):
        Joined.open(str(tmp_path / "missing"))
    for path in ("/proc/self/ns/uts", "/etc/passwd", str(tmp_path)):
        with pytest.raises(InvalidInput, match="not a network namespace"):
            Joined.open(path)


@pytest.mark.needs_user
def test_of_the_host() -> None:
    """One that belongs to the host's user namespace is root's to join."""
    with pytest.raises(Precondition, match="only root can join the network namespace"):
        Joined.open(OWN)
    with pytest.raises(Precondition, match="another user's"):
        Joined.open("/proc/1/ns/net")


@pytest.mark.needs_user
def test_without_privilege() -> None:
    """Outside of a user namespace of one's own none can be made, and nothing is left open."""
    with pytest.raises(Precondition, match="no network namespace can be made: Operation not"):
        make()
