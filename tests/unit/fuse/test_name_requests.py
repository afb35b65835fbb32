"""Names of a writable mount: look-ups, new objects, removals, and what the kernel forgets."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from unit.kernel_side import Mount, mounted

from fuse import wire
from fuse.server_config import ServerConfig


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """A folder with a file that has two names, and some others."""
    layer = (
        images.LayerBuilder()
        .directory("d")
        .file("d/file", b"contents", mode=0o640)
        .file("d/other", b"other")
        .directory("d/sub")
        .file("linked", b"linked")
        .hard_link("again", "linked")
        .symlink("link", "d/file")
        .directory("sgid", mode=0o2775)
    )
    with mounted(tmp_path, [layer]) as made:
        yield made


def known(mount: Mount, ino: int) -> int:
    """Return how often an object was told of, by our side."""
    nodes = mount.core.overlay.nodes
    node = nodes.known(ino)
    return nodes.told.count(ino) if node is None else node.lookups


def test_look_ups_count(mount: Mount) -> None:
    """Each is one that the kernel gives back; what is not there is an answer, and counts none."""
    directory = mount.find("d").ino
    for count in (1, 2, 3):
        file = mount.lookup(directory, b"file")
        assert file is not None
        assert known(mount, file.ino) == count
    assert (file.mode, file.size, file.nlink) == (stat.S_IFREG | 0o640, 8, 1)
    assert mount.lookup(directory, b"none") is None
    assert mount.lookup(1, b"none") is None


def test_forgetting_is_exact(mount: Mount) -> None:
    """An object is known until as much was taken back as was told."""
    file = mount.find("d/file")
    mount.find("d/file")
    mount.forget(file.ino, 1)
    assert mount.getattr(file.ino) == file
    mount.forget(file.ino, 1)
    assert known(mount, file.ino) == 0


def test_what_nobody_has_changed_has_no_node(mount: Mount) -> None:
    """A walk through the tree leaves nothing behind but counts."""
    before = len(mount.core.overlay.nodes)
    file = mount.find("d/file")
    assert mount.find("d/sub").ino != file.ino
    assert len(mount.core.overlay.nodes) == before + 1  # the directory, as the root has one


def test_an_object_gets_its_node_when_it_is_changed(mount: Mount) -> None:
    """All that was told of it before counts for the node."""
    file = mount.find("d/file")
    mount.find("d/file")
    assert mount.core.overlay.nodes.known(file.ino) is None
    mount.ask(wire.SETATTR, file.ino, wire.SETATTR_IN.pack(1, *[0] * 10, 0o600, *[0] * 4))
    node = mount.core.overlay.nodes.known(file.ino)
    assert node is not None
    assert node.lookups == 2
    assert mount.getattr(file.ino).mode == stat.S_IFREG | 0o600


def test_files_with_several_names_have_a_node(mount: Mount) -> None:
    """From the beginning, and one for all names."""
    linked = mount.find("linked")
    assert mount.find("again").ino == linked.ino
    node = mount.core.overlay.nodes.known(linked.ino)
    assert node is not None
    assert node.lookups == 2
    mount.unlink(1, b"again")
    assert mount.getattr(linked.ino).nlink == 1


def test_an_object_looks_itself_up(mount: Mount) -> None:
    """The name "." asks for a directory by its number, as file handles do."""
    directory = mount.find("d")
    assert mount.lookup(directory.ino, b".") == directory
    assert known(mount, directory.ino) == 2


def test_a_number_that_nobody_was_told(mount: Mount) -> None:
    """It is stale."""
    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
        mount.lookup(4711, b"name")


def test_files_are_made_and_open(mount: Mount) -> None:
    """CREATE is a look-up and an open in one; the owner is who asks, the mode what is asked for."""
    file, fh = mount.create(mount.find("d/sub").ino, b"new", 0o100604)
    assert (file.mode, file.uid, file.gid) == (0o100604, os.getuid(), os.getgid())
    assert known(mount, file.ino) == 1
    assert mount.write(file.ino, fh, b"written") == 7
    assert mount.read(file.ino, fh) == b"written"
    mount.release(file.ino, fh)
    assert (mount.upperdir / "d/sub/new").read_bytes() == b"written"
    assert mount.find("d/sub/new").ino == file.ino


def test_the_kernel_applies_the_umask(mount: Mount) -> None:
    """It has, unless it was agreed that we do: then the umask is taken off here."""
    assert mount.mkdir(1, b"one", 0o777, umask=0o022).mode == 0o040777
    mount.path.agreed = wire.DONT_MASK
    assert mount.mkdir(1, b"two", 0o777, umask=0o022).mode == 0o040755
    assert mount.mknod(1, b"three", 0o100666, umask=0o027).mode == 0o100640
    file, fh = mount.create(1, b"four", 0o100666, umask=0o077)
    assert file.mode == 0o100600
    mount.release(file.ino, fh)


def test_directories_are_made(mount: Mount) -> None:
    """Empty, also where the tree has one of that name that was removed."""
    directory = mount.find("d").ino
    mount.rmdir(directory, b"sub")
    assert mount.lookup(directory, b"sub") is None
    made = mount.mkdir(directory, b"sub", 0o711)
    assert made.mode == stat.S_IFDIR | 0o711
    assert mount.names(made.ino) == []


def test_special_files_are_made(mount: Mount) -> None:
    """FIFOs and sockets; the kernel knows what they are from the answer."""
    for name, kind in ((b"fifo", stat.S_IFIFO), (b"socket", stat.S_IFSOCK)):
        made = mount.mknod(1, name, kind | 0o620)
        assert made.mode == kind | 0o620
        assert (mount.upperdir / os.fsdecode(name)).lstat().st_mode == kind | 0o620


def test_symbolic_links_are_made(mount: Mount) -> None:
    """The name comes before the target in the request."""
    made = mount.symlink(1, b"name", b"the/target")
    assert (made.mode, made.size) == (stat.S_IFLNK | 0o777, 10)
    assert mount.ask(wire.READLINK, made.ino) == b"the/target"


def test_a_groups_directory(mount: Mount) -> None:
    """What is made in a directory with a set-GID bit has its group, and directories the bit."""
    parent = mount.find("sgid").ino
    assert mount.mkdir(parent, b"d").mode == stat.S_IFDIR | 0o2755


def test_links_are_made(mount: Mount) -> None:
    """A new name is the same object, which has one link more; a look-up of it counts."""
    file = mount.find("d/file")
    made = mount.link(file.ino, 1, b"new-name")
    assert (made.ino, made.nlink) == (file.ino, 2)
    assert known(mount, file.ino) == 2
    assert mount.contents(made.ino) == b"contents"


def test_names_are_removed(mount: Mount) -> None:
    """Of the tree and of the upperdir; what is removed is gone for look-ups and listings."""
    directory = mount.find("d").ino
    mount.mknod(directory, b"new", 0o100644)
    for name in (b"new", b"file"):
        mount.unlink(directory, name)
        assert mount.lookup(directory, name) is None
    assert mount.names(directory) == [b"other", b"sub"]
    for name, number in ((b"file", errno.ENOENT), (b"none", errno.ENOENT)):
        with pytest.raises(OSError, match=os.strerror(number)):
            mount.unlink(directory, name)
    with pytest.raises(OSError, match=os.strerror(errno.ENOTEMPTY)):
        mount.rmdir(1, b"d")


def test_a_removed_file_is_read_on(mount: Mount) -> None:
    """A program that has it open is not disturbed, whoever had the file before."""
    file = mount.find("d/file")
    fh = mount.open(file.ino)
    mount.unlink(mount.find("d").ino, b"file")
    assert mount.read(file.ino, fh) == b"contents"
    assert mount.getattr(file.ino).nlink == 0
    mount.release(file.ino, fh)


def test_a_file_without_a_name(mount: Mount) -> None:
    """It is written and read by its handle, is in no directory, and can be given a name."""
    file, fh = mount.tmpfile(mount.find("d").ino)
    assert file.nlink == 0
    assert mount.write(file.ino, fh, b"hidden") == 6
    assert mount.names(mount.find("d").ino) == [b"file", b"other", b"sub"]
    made = mount.link(file.ino, 1, b"shown")
    assert (made.ino, made.nlink) == (file.ino, 1)
    mount.release(file.ino, fh)
    assert mount.contents(mount.find("shown").ino) == b"hidden"


def test_owners_are_stored_by_the_mapping(tmp_path: Path) -> None:
    """Who asks is another on disk; an ID that no line has can own nothing."""
    uid, gid = os.getuid(), os.getgid()
    config = ServerConfig("/", uid_mapping=((5, uid, 1),), gid_mapping=((6, gid, 1),))
    with mounted(tmp_path, [images.LayerBuilder()], config) as mount:
        mount.uid, mount.gid = 5, 6
        made = mount.mkdir(1, b"d")
        assert (made.uid, made.gid) == (5, 6)
        assert (mount.upperdir / "d").stat().st_uid == uid
        mount.uid = 7
        with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
            mount.mkdir(1, b"e")


def test_a_name_of_the_longest_kind(mount: Mount) -> None:
    """255 bytes in any encoding, as the file systems have it; one more is refused."""
    name = b"\xff" * 255
    made = mount.mkdir(1, name)
    assert mount.lookup(1, name) == made
    assert name in mount.names(1)
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)):
        mount.mkdir(1, name + b"x")
