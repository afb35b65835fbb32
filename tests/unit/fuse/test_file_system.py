"""What serves a mount, opened from its config."""

import errno
import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import images
import pytest
import trio
from trees import build_tree, tar_path
from unit.kernel_side import Kernel

from fuse import wire
from fuse.database import IndexFormatError
from fuse.file_system import FileSystem, open_file_system
from fuse.operations import ReadOnlyOperations
from fuse.overlay_operations import OverlayOperations
from fuse.server_config import ServerConfig
from fuse.tree_fast_path import TreeFastPath

COUNT = 20


class Opener:
    """Opens file systems over one layer, and closes them.

    Attributes:
        folder: Where upperdir and workdir are, once they are asked for.
        kernel: The kernel of what was opened last.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        layer = images.LayerBuilder().directory("./", mode=0o751).file("alone", b"!", uid=5)
        layer.directory("d")
        for number in range(COUNT):
            layer.file(f"d/f{number:02}", b"%d" % number)
        self._tree = build_tree(folder / "tree", [layer])
        self._layers = (str(tar_path(folder / "tree", 0)),)
        self.kernel: Kernel

    def uppers(self) -> dict[str, int]:
        """Return the options that name an upperdir."""
        fds = {}
        for name in ("upper", "work"):
            (self.folder / name).mkdir(exist_ok=True)
            fd = fds[f"{name}dir_fd"] = os.open(self.folder / name, os.O_RDONLY)
            self._stack.callback(os.close, fd)
        return fds

    def writable(self, **options: Any) -> FileSystem:
        """Open the merged tree with an upperdir over it."""
        return self.read_only(**self.uppers(), **options)

    def read_only(self, **options: Any) -> FileSystem:
        """Open the merged tree."""
        return self.open(tree=str(self._tree), layers=self._layers, **options)

    def open(self, **options: Any) -> FileSystem:
        """Open what the options say."""
        opened = open_file_system(ServerConfig("/nowhere", **options))
        path = opened.pump._fast_path
        if opened.overlay is not None:
            self._stack.callback(opened.overlay.close)
        else:
            assert isinstance(path, TreeFastPath)
            self._stack.callback(path._tree.close)
            self._stack.callback(path._tars.close)
        self.kernel = self._stack.enter_context(Kernel(path))
        return opened


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opener]:
    """One over a layer with a folder of small files."""
    with ExitStack() as stack:
        yield Opener(tmp_path, stack)


def test_a_tree_alone(opener: Opener) -> None:
    """It is served as it is: nothing can be changed, and nothing has to be closed at the end."""
    opened = opener.read_only()
    assert isinstance(opened.operations, ReadOnlyOperations)
    assert opened.overlay is None
    file = opener.kernel.find("alone")
    assert file.uid == 5
    assert opener.kernel.contents(file.ino) == b"!"
    assert trio.run(opened.operations.statfs, None).f_bfree == 0


def test_a_tree_with_an_upperdir(opener: Opener) -> None:
    """What is changed goes into the upperdir."""
    opened = opener.writable()
    assert isinstance(opened.operations, OverlayOperations)
    assert opened.overlay is not None
    file, fh = opener.kernel.create(1, b"new")
    opener.kernel.write(file.ino, fh, b"contents")
    opener.kernel.release(file.ino, fh)
    assert (opener.folder / "upper/new").read_bytes() == b"contents"


@pytest.fixture
def lowerdirs(opener: Opener) -> tuple[str, ...]:
    """Two folders, one on the other."""
    for name in ("low", "lower/d"):
        (opener.folder / name).mkdir(parents=True)
    (opener.folder / "low/file").write_bytes(b"above")
    (opener.folder / "lower/file").write_bytes(b"below")
    return str(opener.folder / "low"), str(opener.folder / "lower")


def test_folders_in_place_of_a_tree(opener: Opener, lowerdirs: tuple[str, ...]) -> None:
    """They are served like a tree, with an upperdir or without."""
    for is_writable in (False, True):
        uppers = opener.uppers() if is_writable else {}
        assert opener.open(lowerdirs=lowerdirs, **uppers).overlay is not None
        kernel = opener.kernel
        assert kernel.contents(kernel.find("file").ino) == b"above"
        assert kernel.names(1) == [b"d", b"file"]
    assert kernel.mkdir(1, b"new", 0o711).mode == 0o040711
    assert kernel.names(1) == [b"d", b"file", b"new"]


def test_folders_alone_cannot_be_changed(opener: Opener, lowerdirs: tuple[str, ...]) -> None:
    """Without an upperdir a change is EROFS."""
    opener.open(lowerdirs=lowerdirs)
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
        opener.kernel.mkdir(1, b"new")


def test_owners(opener: Opener) -> None:
    """What the map lacks is shown as the overflow ID, in either kind of mount."""
    options: dict[str, Any] = {"uid_map": ((0, 1),), "overflow_uid": 4711}
    for opens in (opener.read_only, opener.writable):
        opens(**options)
        kernel = opener.kernel
        assert kernel.find("alone").uid == 4711
        assert kernel.find("d").uid == 0


def test_owners_by_a_mapping(opener: Opener) -> None:
    """A writable mount translates what is stored."""
    opener.writable(uid_mapping=((100, 0, 10),), squash_gid=7, static_nlink=True)
    kernel = opener.kernel
    file, directory = kernel.find("alone"), kernel.find("d")
    assert (file.uid, file.gid) == (105, 7)
    assert (directory.uid, directory.nlink) == (100, 1)


def test_an_empty_upperdir_inherits_the_roots_attributes(opener: Opener) -> None:
    """If that is wanted; a used one keeps its own."""
    opener.writable(inherits_root=True)
    assert opener.kernel.getattr(1).mode == 0o040751
    opener.kernel.mkdir(1, b"used")
    opener.kernel.ask(wire.SETATTR, 1, wire.SETATTR_IN.pack(1, *[0] * 10, 0o700, *[0] * 4))
    opener.writable(inherits_root=True)
    assert opener.kernel.getattr(1).mode == 0o040700


def test_files_are_pushed_in_the_gaps(opener: Opener) -> None:
    """What comes next is pushed, but not what has other contents by now."""
    opened = opener.writable()
    kernel = opener.kernel
    numbers = [kernel.find(f"d/f{number:02}").ino for number in range(COUNT)]
    shorter = wire.SETATTR_IN.pack(1 << 3, *[0] * 15)
    kernel.ask(wire.SETATTR, numbers[10], shorter)
    for number in numbers[:3]:
        kernel.release(number, kernel.open(number))
    while opened.pump._work():
        pass
    kernel.getattr(1)  # takes what was pushed meanwhile
    pushed = {number: contents for number, _, contents in kernel.stored}
    assert pushed == {number: b"%d" % place for place, number in enumerate(numbers) if place != 10}


def test_what_is_asked_for(opener: Opener) -> None:
    """ACLs are the kernel's to go by, unless the mount has none."""
    for options, expected in (({}, wire.ACLS), ({"has_acls": False}, 0)):
        opened = opener.writable(**options)
        assert opened.pump._fast_path.wanted & wire.ACLS == expected


def test_what_cannot_be_opened(opener: Opener) -> None:
    """A damaged or missing tree, a missing layer: said before there is a mount."""
    with pytest.raises(IndexFormatError):
        opener.open(tree=opener._layers[0], layers=opener._layers)
    with pytest.raises(FileNotFoundError):
        opener.open(tree="/none", layers=opener._layers)
    with pytest.raises(FileNotFoundError):
        opener.open(tree=str(opener._tree), layers=("/none",))
    gc.collect()  # the process ends then: the tree is nobody's to close
