"""Attributes of one object of a writable mount, plain and extended."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from unit.kernel_side import Attr, Mount, mounted

from fuse import wire
from fuse.server_config import ServerConfig

MODE, UID, GID, SIZE, ATIME, MTIME, FH, ATIME_NOW, MTIME_NOW = (1 << n for n in range(9))


def layer() -> images.LayerBuilder:
    """Return a layer of a file with an attribute, a link and a folder."""
    return (
        images.LayerBuilder()
        .file("file", b"contents", mode=0o640, xattrs={"user.k": b"value"})
        .file("plain", b"plain")
        .symlink("link", "the/target")
        .directory("d")
        .file("d/inner", b"inner")
    )


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """A mount of that layer."""
    with mounted(tmp_path, [layer()]) as made:
        yield made


def setattr_(
    mount: Mount,
    ino: int,
    valid: int,
    *,
    mode: int = 0,
    uid: int = 0,
    gid: int = 0,
    size: int = 0,
    fh: int = 0,
    atime: tuple[int, int] = (0, 0),
    mtime: tuple[int, int] = (0, 0),
) -> Attr:
    """Change what *valid* says, and return what it is then."""
    times = (atime[0], mtime[0], 0, atime[1], mtime[1], 0)
    body = wire.SETATTR_IN.pack(valid, 0, fh, size, 0, *times, mode, 0, uid, gid, 0)
    answer = mount.attr(mount.ask(wire.SETATTR, ino, body))
    assert answer == mount.getattr(ino)
    return answer


@pytest.fixture(params=["d/inner", "file", "removed"])
def ino(request: pytest.FixtureRequest, mount: Mount) -> int:
    """A file without a node, one with a node, and one that was removed and is still known."""
    if request.param == "removed":
        found = mount.find("file").ino
        mount.unlink(1, b"file")
        return found
    return mount.find(request.param).ino


def test_attributes_of_the_tree(mount: Mount) -> None:
    """They are what the layer says, for an object with a node and for one without."""
    for path, size in (("file", 8), ("d/inner", 5)):
        found = mount.find(path)
        assert mount.getattr(found.ino) == found
        assert (found.size, found.mtime, found.atime) == (size, images.MTIME, images.MTIME)
    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
        mount.getattr(4711)


def test_mode(mount: Mount, ino: int) -> None:
    """The permissions change, the type does not."""
    assert setattr_(mount, ino, MODE, mode=0o100604).mode == 0o100604
    assert setattr_(mount, ino, MODE, mode=0o4711).mode == 0o104711


def test_size(mount: Mount, ino: int) -> None:
    """Shorter and longer, by name or by an open file."""
    assert setattr_(mount, ino, SIZE, size=3).size == 3
    fh = mount.open(ino, os.O_RDWR)
    assert setattr_(mount, ino, SIZE | FH, size=70_000, fh=fh).size == 70_000
    assert mount.read(ino, fh, 0, 5)[3:] == bytes(2)
    mount.release(ino, fh)


@pytest.mark.parametrize(
    ("seconds", "nanoseconds"), [(5, 999_999_999), (0, 1), (-1, 500_000_000), (-(2**31), 0)]
)
def test_times(mount: Mount, ino: int, seconds: int, nanoseconds: int) -> None:
    """Each alone leaves the other as it is; before 1970, too."""
    found = setattr_(mount, ino, MTIME, mtime=(seconds, nanoseconds))
    assert (found.mtime, found.mtime_ns) == (seconds, nanoseconds)
    found = setattr_(mount, ino, ATIME, atime=(7, 8))
    assert (found.atime, found.atime_ns, found.mtime) == (7, 8, seconds)


def test_the_time_of_now(mount: Mount, ino: int) -> None:
    """What the request has in that field does not matter then."""
    before = int(time.time())
    valid = ATIME | MTIME | ATIME_NOW | MTIME_NOW
    found = setattr_(mount, ino, valid, atime=(5, 5), mtime=(6, 6))
    assert before <= found.atime <= time.time()
    assert before <= found.mtime <= time.time()


def test_owner(mount: Mount, ino: int) -> None:
    """Fields that are not meant are not looked at."""
    found = setattr_(mount, ino, UID, uid=os.getuid(), gid=12345)
    assert (found.uid, found.gid) == (os.getuid(), os.getgid())
    found = setattr_(mount, ino, GID, uid=12345, gid=os.getgid())
    assert (found.uid, found.gid) == (os.getuid(), os.getgid())


def test_owners_by_the_mapping(tmp_path: Path) -> None:
    """What is set is stored, and shown again, by the mapping."""
    config = ServerConfig("/", uid_mapping=((5, os.getuid(), 1),), squash_gid=os.getgid())
    with mounted(tmp_path, [layer()], config) as mount:
        file = mount.find("file").ino
        assert setattr_(mount, file, UID | GID, uid=5, gid=9).uid == 5
        with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
            setattr_(mount, file, UID, uid=6)


def test_targets(mount: Mount) -> None:
    """A symbolic link of the tree, unchanged and changed."""
    link = mount.find("link")
    assert mount.ask(wire.READLINK, link.ino) == b"the/target"
    setattr_(mount, link.ino, MTIME, mtime=(9, 0))
    assert mount.ask(wire.READLINK, link.ino) == b"the/target"
    assert (mount.upperdir / "link").is_symlink()


def test_a_target_without_a_node(tmp_path: Path) -> None:
    """It is read from the tree, and nothing is made for it."""
    deep = images.LayerBuilder().directory("d").symlink("d/link", "x" * 4000)
    with mounted(tmp_path, [deep]) as mount:
        link = mount.find("d/link").ino
        assert mount.ask(wire.READLINK, link) == b"x" * 4000
        assert mount.core.overlay.nodes.known(link) is None


def test_extended_attributes(mount: Mount) -> None:
    """The image's are shown, new ones set, replaced and listed."""
    file = mount.find("file").ino
    assert mount.getxattr(file, b"user.k") == b"value"
    assert mount.getxattr(file, b"user.k", 0) == wire.SIZE.pack(5, 0)
    with pytest.raises(OSError, match=os.strerror(errno.ERANGE)):
        mount.getxattr(file, b"user.k", 4)
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        mount.getxattr(file, b"user.none")
    mount.setxattr(file, b"user.new", b"\0binary\0")
    assert mount.getxattr(file, b"user.new") == b"\0binary\0"
    listed = mount.ask(wire.LISTXATTR, file, wire.GETXATTR_IN.pack(4096, 0))
    assert sorted(listed.split(b"\0")) == [b"", b"user.k", b"user.new"]
    size = mount.ask(wire.LISTXATTR, file, wire.GETXATTR_IN.pack(0, 0))
    assert wire.SIZE.unpack(size) == (len(listed), 0)


def test_no_extended_attributes(mount: Mount) -> None:
    """An object without any has an empty list; an empty value is a value."""
    plain = mount.find("plain").ino
    assert mount.ask(wire.LISTXATTR, plain, wire.GETXATTR_IN.pack(100, 0)) == b""
    mount.setxattr(plain, b"user.empty", b"")
    assert mount.getxattr(plain, b"user.empty") == b""


def test_create_and_replace(mount: Mount, ino: int) -> None:
    """XATTR_CREATE wants no such attribute, XATTR_REPLACE one."""
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        mount.setxattr(ino, b"user.x", b"1", os.XATTR_REPLACE)
    mount.setxattr(ino, b"user.x", b"1", os.XATTR_CREATE)
    with pytest.raises(FileExistsError):
        mount.setxattr(ino, b"user.x", b"2", os.XATTR_CREATE)
    mount.setxattr(ino, b"user.x", b"3", os.XATTR_REPLACE)
    assert mount.getxattr(ino, b"user.x") == b"3"


def test_the_longer_form_of_setxattr(mount: Mount) -> None:
    """Once it was agreed on, the request has two fields more; one takes a set-GID bit away."""
    file = mount.find("file").ino
    setattr_(mount, file, MODE, mode=0o2755)
    mount.path.agreed = wire.SETXATTR_EXT
    for flag, mode in ((0, 0o102755), (1, 0o100755)):
        body = wire.SETXATTR_EXT_IN.pack(5, 0, flag, 0) + b"user.long\0value"
        assert mount.ask(wire.SETXATTR, file, body) == b""
        assert mount.getxattr(file, b"user.long") == b"value"
        assert mount.getattr(file).mode == mode


def test_without_extended_attributes(tmp_path: Path) -> None:
    """A mount without them says so once and for all: the kernel does not ask again."""
    with mounted(tmp_path, [layer()], ServerConfig("/", has_xattrs=False)) as mount:
        file = mount.find("file").ino
        for ask in (
            lambda: mount.getxattr(file, b"user.k"),
            lambda: mount.setxattr(file, b"user.k", b""),
            lambda: mount.ask(wire.LISTXATTR, file, wire.GETXATTR_IN.pack(0, 0)),
        ):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)):
                ask()


def test_without_acls(tmp_path: Path) -> None:
    """ACLs alone can be left out."""
    with mounted(tmp_path, [layer()], ServerConfig("/", has_acls=False)) as mount:
        file = mount.find("file").ino
        with pytest.raises(OSError, match=os.strerror(errno.EOPNOTSUPP)):
            mount.getxattr(file, b"system.posix_acl_access")
        assert mount.getxattr(file, b"user.k") == b"value"


def test_a_directorys_links(mount: Mount) -> None:
    """A directory of the tree counts its subdirectories, one that was changed has one link."""
    directory = mount.find("d")
    assert directory.nlink == 2
    changed = setattr_(mount, directory.ino, MODE, mode=0o700)
    assert (changed.mode, changed.nlink) == (stat.S_IFDIR | 0o700, 1)
