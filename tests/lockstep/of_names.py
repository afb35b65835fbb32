"""Operations on names: new ones, moved ones, and names that go."""

import os
from dataclasses import dataclass

from lockstep.operation import Operation
from lockstep.side import Side

from fuse.renameat2 import renameat2


@dataclass(frozen=True)
class Unlink(Operation):
    """unlink(2)."""

    path: str

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.unlink(path, dir_fd=fd)
        return None


@dataclass(frozen=True)
class RemoveDirectory(Operation):
    """rmdir(2)."""

    path: str

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.rmdir(path, dir_fd=fd)
        return None


@dataclass(frozen=True)
class MakeDirectory(Operation):
    """mkdir(2)."""

    path: str
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.mkdir(path, self.mode, dir_fd=fd)
        return None


@dataclass(frozen=True)
class MakeNode(Operation):
    """mknod(2): FIFO, socket, file, or the device number of a whiteout."""

    path: str
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.mknod(path, self.mode, 0, dir_fd=fd)
        return None


@dataclass(frozen=True)
class Symlink(Operation):
    """symlink(2)."""

    target: str
    path: str

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.symlink(self.target, path, dir_fd=fd)
        return None


@dataclass(frozen=True)
class Link(Operation):
    """linkat(2)."""

    old: str
    new: str
    follow: bool

    def apply(self, side: Side) -> object:  # noqa: D102
        (old_fd, old), (new_fd, new) = side.at(self.old), side.at(self.new)
        os.link(old, new, src_dir_fd=old_fd, dst_dir_fd=new_fd, follow_symlinks=self.follow)
        return None


@dataclass(frozen=True)
class Rename(Operation):
    """renameat2(2)."""

    old: str
    new: str
    flags: int

    def apply(self, side: Side) -> object:  # noqa: D102
        (old_fd, old), (new_fd, new) = side.at(self.old), side.at(self.new)
        renameat2(old_fd, os.fsencode(old), new_fd, os.fsencode(new), self.flags)
        return None
