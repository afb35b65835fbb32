"""Attributes in the kernel's form."""

import os
import stat

import pytest

from fuse import wire
from fuse.attributes import AttributeMaker, statvfs_answer
from fuse.ownership import IDTranslation
from fuse.status import Status

# Where they stand among the fields of fuse_attr
INO, SIZE, BLOCKS, ATIME, MTIME, CTIME, ATIME_NS, MTIME_NS, CTIME_NS = range(9)
MODE, NLINK, UID, GID, RDEV = range(9, 14)


def status(mode: int, uid: int = 1000, gid: int = 100005) -> Status:
    """Return an overlay's status with this mode and owner."""
    return Status(9, mode, 5, uid, gid, 2, 3, 4, 5, 6, 7)


def test_of_an_overlays_object() -> None:
    """A status is taken as it is: its owner is squashed already."""
    fields = AttributeMaker().of(status(stat.S_IFCHR | 0o600, 70000, 1))
    assert (fields[INO], fields[MODE], fields[NLINK]) == (9, stat.S_IFCHR | 0o600, 5)
    assert (fields[UID], fields[GID], fields[RDEV]) == (70000, 1, 4)
    assert (fields[SIZE], fields[BLOCKS]) == (2, 5)
    assert fields[ATIME : CTIME_NS + 1] == (0, 0, 0, 6, 3, 7)


def test_the_answer_to_a_look_up() -> None:
    """It names the object and has its attributes, good for as long as the mount."""
    made = AttributeMaker()
    of_file = status(stat.S_IFREG | 0o644)
    nodeid, generation, entry_valid, attr_valid, *rest = wire.ENTRY.unpack(made.entry(of_file))
    assert (nodeid, generation, entry_valid, attr_valid) == (9, 0, wire.FOREVER, wire.FOREVER)
    assert tuple(rest[2:]) == made.of(of_file)


def test_owners_are_translated() -> None:
    """An overlay's stored owners are shown by the mapping; what no line has is the overflow."""
    made = AttributeMaker(
        uid_translation=IDTranslation(((0, 1000, 1),)),
        gid_translation=IDTranslation(((1, 100000, 10),)),
    )
    fields = made.of(status(stat.S_IFREG | 0o644))
    assert (fields[UID], fields[GID]) == (0, 6)
    fields = made.of(status(stat.S_IFREG | 0o644, 1, 2))
    assert (fields[UID], fields[GID]) == (65534, 65534)


def test_owners_are_squashed() -> None:
    """One kind of ID may be squashed and the other left as it is."""
    fields = AttributeMaker(IDTranslation(squashed=0)).of(status(stat.S_IFREG | 0o644))
    assert (fields[UID], fields[GID]) == (0, 100005)


@pytest.mark.parametrize(("kind", "nlink"), [(stat.S_IFDIR, 1), (stat.S_IFREG, 5)])
def test_static_nlink(kind: int, nlink: int) -> None:
    """Directories have one link, files as many as they have."""
    made = AttributeMaker(static_nlink=True)
    assert made.of(status(kind | 0o755))[NLINK] == nlink
    assert AttributeMaker().of(status(kind | 0o755))[NLINK] == 5


def test_room(tmp_path: os.PathLike[str]) -> None:
    """Every number of statvfs(3) is passed on."""
    there = os.statvfs(tmp_path)
    answer = statvfs_answer(there)
    for name in ("f_bsize", "f_frsize", "f_blocks", "f_files", "f_namemax"):
        assert getattr(answer, name) == getattr(there, name)
