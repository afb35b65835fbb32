"""Owner, mode and attributes of what lies in an upperdir."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuse.ownership import OVERRIDE_STAT
from fuse.place import Place
from fuse.stored_attributes import StoredAttributes


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An empty file of this user's."""
    (tmp_path / "file").touch(0o600)
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield Place(fd, b"file")
    os.close(fd)


def mode_of(place: Place) -> int:
    """Return the permissions that the file system has."""
    return stat.S_IMODE(os.stat(place.name, dir_fd=place.fd).st_mode)


def test_what_can_be_stored_is(place: Place) -> None:
    """Owner and mode of one's own go to the file itself, set-ID bits included."""
    stored = StoredAttributes(keeps_stat_in_xattr=False)
    stored.set_owner_and_mode(place, stat.S_IFREG | 0o4755, os.getuid(), os.getgid(), 0)
    assert mode_of(place) == 0o4755
    assert stored.xattr(place, OVERRIDE_STAT) is None


def test_the_attribute_where_it_is_asked_for(place: Place) -> None:
    """With it the file itself is left as it is, and the attribute says what it is."""
    stored = StoredAttributes(keeps_stat_in_xattr=True)
    stored.set_owner_and_mode(place, stat.S_IFREG | 0o4755, 7, 8, 0)
    assert mode_of(place) == 0o600
    status = os.stat(place.name, dir_fd=place.fd)
    found = stored.override(place, status)
    assert found is not None
    assert (found.uid, found.gid, found.mode) == (7, 8, stat.S_IFREG | 0o4755)


def test_an_older_note_goes(place: Place) -> None:
    """What is stored now is not hidden by what could not be stored before."""
    noting = StoredAttributes(keeps_stat_in_xattr=True)
    noting.set_owner_and_mode(place, stat.S_IFREG | 0o600, 7, 8, 0)
    stored = StoredAttributes(keeps_stat_in_xattr=False)
    stored.set_owner_and_mode(place, stat.S_IFREG | 0o640, os.getuid(), os.getgid(), 0)
    assert stored.override(place, os.stat(place.name, dir_fd=place.fd)) is None
    assert mode_of(place) == 0o640


def test_a_note_that_is_none(place: Place) -> None:
    """A damaged attribute says nothing: what the file system has stands."""
    stored = StoredAttributes(keeps_stat_in_xattr=False)
    stored.set_xattr(place, OVERRIDE_STAT, b"nonsense", 0)
    assert stored.override(place, os.stat(place.name, dir_fd=place.fd)) is None


def test_attributes(place: Place) -> None:
    """They are set, listed, read and removed by name."""
    stored = StoredAttributes(keeps_stat_in_xattr=False)
    stored.set_xattr(place, b"user.k", b"\0v", 0)
    assert stored.xattr_names(place) == [b"user.k"]
    assert stored.xattr(place, b"user.k") == b"\0v"
    stored.remove_xattr(place, b"user.k")
    assert stored.xattr(place, b"user.k") is None
