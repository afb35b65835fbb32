"""A read-only mount's requests."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from images import CAP_NET_RAW, small_layer
from trees import build_tree, tar_path
from unit.kernel_side import Kernel

from fuse import wire
from fuse.contents import TarContents
from fuse.ownership import Squash
from fuse.shown import Shown
from fuse.tree import Tree
from fuse.tree_fast_path import TreeFastPath


class TreeKernel(Kernel):
    """The kernel of a read-only mount over one layer; a context manager."""

    def __init__(self, folder: Path, layer: images.Layer) -> None:
        self.tree = Tree.open(build_tree(folder, [layer]))
        self.contents_ = TarContents([tar_path(folder, 0)])
        squash = Squash((), 0)
        super().__init__(TreeFastPath(self.tree, self.contents_, Shown(squash, squash)))

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.tree.close()
        self.contents_.close()

    def readlink(self, ino: int) -> bytes:
        """Return a link's target."""
        return self.ask(wire.READLINK, ino)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[TreeKernel]:
    """One of each kind of object."""
    with TreeKernel(tmp_path / "tree", small_layer()) as made:
        yield made


def test_look_ups(kernel: TreeKernel) -> None:
    """Everything of the tree is found, with the attributes that the layer has."""
    shell = kernel.find("bin/sh")
    assert (shell.mode, shell.nlink, shell.size) == (stat.S_IFREG | 0o755, 2, 3)
    assert kernel.find("bin/dash").ino == shell.ino
    assert kernel.find("dev/loop0").rdev == 7 << 8
    assert kernel.find("home/user").uid == 1000
    assert shell.mtime == images.MTIME
    assert kernel.lookup(1, b"none") is None
    assert kernel.lookup(shell.ino, b"none") is None
    assert kernel.lookup(1, b".") == kernel.getattr(1)
    assert kernel.getattr(shell.ino) == shell


def test_numbers_that_the_tree_lacks(kernel: TreeKernel) -> None:
    """They are stale, and the next request is answered as ever."""
    for ask in (
        lambda: kernel.getattr(4711),
        lambda: kernel.readdir(4711, 0),
        lambda: kernel.readlink(4711),
        lambda: kernel.open(4711),
        lambda: kernel.read(4711, 4711),
        lambda: kernel.lookup(4711, b"."),
    ):
        with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
            ask()
    assert kernel.getattr(1).ino == 1


def test_nothing_is_forgotten(kernel: TreeKernel) -> None:
    """What the tree has it has for good: forgetting has no answer and no effect."""
    shell = kernel.find("bin/sh")
    kernel.forget(shell.ino, 1)
    kernel.forget_all()
    assert kernel.getattr(shell.ino) == shell


def test_directories_need_not_be_opened(kernel: TreeKernel) -> None:
    """ENOSYS: the kernel then opens none, and keeps what it has read."""
    found = kernel.read_rest(1, kernel.opendir(1), 0, 500)
    names = [b"bin", b"dev", b"etc", b"home", b"run", b"tmp", b"usr"]
    assert [each.name for each in found] == [*names, b".", b".."]
    for each in found[:-2]:
        assert each.attr == kernel.getattr(each.ino)


def test_links(kernel: TreeKernel) -> None:
    """A target is what the layer says."""
    assert kernel.readlink(kernel.find("etc/mtab").ino) == b"/proc/mounts"


def test_files(kernel: TreeKernel) -> None:
    """They are read by offset and size; a small one is in the cache before it is open."""
    file = kernel.find("etc/passwd")
    with kernel.opened(file.ino) as fh:
        assert kernel.stored == [(file.ino, 0, b"root:x:0:0:root:/root:/bin/sh\n")]
        assert kernel.read(file.ino, fh, 5, 7) == b"x:0:0:r"
        assert kernel.read(file.ino, fh, 1000) == b""


def test_work_in_the_gaps(tmp_path: Path) -> None:
    """Opens in order have the next files pushed, until there is nothing more to do."""
    layer = images.LayerBuilder()
    for number in range(20):
        layer.file(f"f{number:02}", b"%d" % number)
    with TreeKernel(tmp_path / "tree", layer) as kernel:
        path = kernel.path
        assert isinstance(path, TreeFastPath)
        assert not path.work()
        numbers = [kernel.find(f"f{number:02}").ino for number in range(20)]
        for number in numbers[:4]:
            kernel.release(number, kernel.open(number))
        assert path.work()
        while path.work():
            pass
        kernel.getattr(1)  # takes what was pushed meanwhile
        assert [number for number, _, _ in kernel.stored] == numbers
        assert [contents for _, _, contents in kernel.stored] == [b"%d" % n for n in range(20)]


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR, os.O_TRUNC, os.O_RDWR | os.O_CREAT])
def test_nothing_is_written(kernel: TreeKernel, flags: int) -> None:
    """To open a file for a change is EROFS."""
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
        kernel.open(kernel.find("etc/passwd").ino, flags)


def test_other_kinds_are_for_pyfuse3(kernel: TreeKernel) -> None:
    """Changes, and the size of the file system."""
    for opcode in (wire.MKDIR, wire.SETATTR, wire.UNLINK, wire.WRITE, wire.INIT):
        assert not kernel.path.answer(kernel.put(opcode, 1, b"name\0"))
    assert kernel.message() is None


def test_extended_attributes(kernel: TreeKernel) -> None:
    """Those of the image, on the objects that have them."""
    ping, shell = kernel.find("usr/bin/ping").ino, kernel.find("bin/sh").ino
    assert kernel.getxattr(ping, b"security.capability") == CAP_NET_RAW
    listed = kernel.ask(wire.LISTXATTR, ping, wire.GETXATTR_IN.pack(100, 0))
    assert listed == b"security.capability\0"
    assert kernel.ask(wire.LISTXATTR, shell, wire.GETXATTR_IN.pack(100, 0)) == b""
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        kernel.getxattr(shell, b"security.capability")


def test_an_image_without_extended_attributes(tmp_path: Path) -> None:
    """ENOSYS: the kernel asks once, and for no object again."""
    with TreeKernel(tmp_path / "tree", images.LayerBuilder().file("f")) as kernel:
        ino = kernel.find("f").ino
        with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)):
            kernel.getxattr(ino, b"user.x")
        with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)):
            kernel.ask(wire.LISTXATTR, ino, wire.GETXATTR_IN.pack(0, 0))
        assert not kernel.path.wanted & wire.POSIX_ACL


def test_an_image_with_acls(tmp_path: Path) -> None:
    """The kernel is asked to go by them."""
    acl = bytes.fromhex("0200000001000700ffffffff04000500ffffffff20000500ffffffff")
    layer = images.LayerBuilder().file("f", xattrs={"system.posix_acl_access": acl})
    with TreeKernel(tmp_path / "tree", layer) as kernel:
        assert kernel.path.wanted & wire.POSIX_ACL


def test_a_tar_that_has_changed(tmp_path: Path) -> None:
    """A read of what is there no more is an error, and not less than was asked for."""
    layer = images.LayerBuilder().file("f", bytes(200_000))
    with TreeKernel(tmp_path / "tree", layer) as kernel:
        ino = kernel.find("f").ino
        os.truncate(tar_path(tmp_path / "tree", 0), 100_000)
        with kernel.opened(ino) as fh, pytest.raises(OSError, match=os.strerror(errno.EIO)):
            kernel.read(ino, fh, 150_000, 4096)
