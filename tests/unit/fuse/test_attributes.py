"""Attributes in the kernel's form."""

import stat

import pytest

from fuse.attributes import FOREVER, AttributeMaker, absent, representable
from fuse.entry import Inode
from fuse.overlay import Status
from fuse.ownership import IDTranslation, Squash

INODE = Inode(
    ino=7,
    mode=stat.S_IFREG | 0o4755,
    nlink=2,
    uid=8,
    gid=70000,
    size=1025,
    mtime_ns=-1_500_000_000,
    rdev=0,
    layer=0,
    offset=512,
    target=b"",
    sparse=False,
)


@pytest.fixture
def maker() -> AttributeMaker:
    """One that squashes what is above 1000."""
    return AttributeMaker(Squash(((0, 1000),), 65534), Squash(((0, 1000),), 65533))


def test_of_a_lower_object(maker: AttributeMaker) -> None:
    """Everything is the tree's, owners squashed, valid for good; times before 1970 too."""
    entry = maker.of_lower(INODE)
    assert (entry.st_ino, entry.st_mode, entry.st_nlink) == (7, INODE.mode, 2)
    assert (entry.st_uid, entry.st_gid) == (8, 65533)
    assert (entry.st_size, entry.st_blocks) == (1025, 3)
    assert entry.st_mtime_ns == entry.st_ctime_ns == entry.st_atime_ns == -1_500_000_000
    assert entry.entry_timeout == entry.attr_timeout == FOREVER


def test_of_an_overlays_object(maker: AttributeMaker) -> None:
    """A status is taken as it is: its owner is squashed already."""
    entry = maker.of(Status(9, stat.S_IFCHR | 0o600, 1, 70000, 1, 2, 3, 4, 5, 6, 7))
    assert (entry.st_ino, entry.st_uid, entry.st_rdev) == (9, 70000, 4)
    assert (entry.st_mtime_ns, entry.st_blocks) == (3, 5)
    assert (entry.st_atime_ns, entry.st_ctime_ns) == (6, 7)


def test_absence_is_an_answer() -> None:
    """Inode number 0 with a timeout tells the kernel that it may keep "there is none"."""
    assert (absent().st_ino, absent().entry_timeout) == (0, FOREVER)


@pytest.mark.parametrize("time_ns", [10**40, -(10**40)])
def test_times_of_any_size_are_made_to_fit(maker: AttributeMaker, time_ns: int) -> None:
    """An archive's absurd time becomes the nearest one that the kernel can hold."""
    assert abs(representable(time_ns)) < 2**63 * 10**9
    assert maker.of_lower(INODE._replace(mtime_ns=time_ns)).st_mtime_ns == representable(time_ns)


def status(mode: int, uid: int = 1000, gid: int = 100005) -> Status:
    """Return an overlay's status with this mode and owner."""
    return Status(9, mode, 5, uid, gid, 2, 3, 4, 5, 6, 7)


def test_owners_are_translated() -> None:
    """An overlay's stored owners are shown by the mapping; what no line has is the overflow."""
    made = AttributeMaker(
        Squash((), 0),
        Squash((), 0),
        uid_translation=IDTranslation(((0, 1000, 1),)),
        gid_translation=IDTranslation(((1, 100000, 10),)),
    )
    entry = made.of(status(stat.S_IFREG | 0o644))
    assert (entry.st_uid, entry.st_gid) == (0, 6)
    entry = made.of(status(stat.S_IFREG | 0o644, 1, 2))
    assert (entry.st_uid, entry.st_gid) == (65534, 65534)


def test_owners_are_squashed() -> None:
    """One kind of ID may be squashed and the other left as it is."""
    made = AttributeMaker(Squash((), 0), Squash((), 0), uid_translation=IDTranslation(squashed=0))
    entry = made.of(status(stat.S_IFREG | 0o644))
    assert (entry.st_uid, entry.st_gid) == (0, 100005)


@pytest.mark.parametrize(("kind", "nlink"), [(stat.S_IFDIR, 1), (stat.S_IFREG, 5)])
def test_static_nlink(kind: int, nlink: int) -> None:
    """Directories have one link, files as many as they have."""
    made = AttributeMaker(Squash((), 0), Squash((), 0), static_nlink=True)
    assert made.of(status(kind | 0o755)).st_nlink == nlink
    usual = AttributeMaker(Squash((), 0), Squash((), 0))
    assert usual.of(status(kind | 0o755)).st_nlink == 5
