"""Both mounts over one image: ours, and kernel overlayfs over the same layers unpacked to folders.

A lock step needs hundreds of mounts, so our server is a fork of this process, where the interpreter
and its modules are ready, and not a new program (10 ms instead of 400).
"""

import contextlib
import errno
import gc
import os
import stat
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import images
import trees
from judges import unpack_for_overlay
from mounting import complaints

from fuse import server
from fuse.server_config import ServerConfig
from rootless.linux import mount_api
from rootless.userns.maps import Maps


@dataclass(frozen=True)
class Image:
    """An image in both forms.

    Attributes:
        tree: The merged tree.
        tars: The layers, the lowest first.
        lowers: The layers, unpacked.
        has_links: Whether files of it have several names.
    """

    tree: Path
    tars: tuple[Path, ...]
    lowers: tuple[Path, ...]
    has_links: bool


def make_image(folder: Path, layers: Sequence[images.Layer]) -> Image:
    """Make both forms of an image."""
    tree = trees.build_tree(folder, layers)
    tars = tuple(trees.tar_path(folder, number) for number in range(len(layers)))
    lowers: list[Path] = []
    for number, tar in enumerate(tars):
        lower = folder / f"lower{number}"
        lower.mkdir()
        unpack_for_overlay(tar, lower, lowers)
        _remove_idle_whiteouts(lower, lowers, folder / "below")
        lowers.append(lower)
    files = [each for lower in lowers for each in lower.rglob("*") if not each.is_dir()]
    return Image(tree, tars, tuple(lowers), any(each.lstat().st_nlink > 1 for each in files))


def _remove_idle_whiteouts(lower: Path, below: Sequence[Path], mountpoint: Path) -> None:
    """Remove whiteouts that hide nothing, which overlayfs lists in unmerged directories."""
    mountpoint.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        if below:
            lowers = ":".join(str(each) for each in (*reversed(below), mountpoint))
            options = f"userxattr,lowerdir={lowers}"
            mount_api.mount("below", str(mountpoint), "overlay", mount_api.MS_RDONLY, options)
            stack.callback(mount_api.umount, str(mountpoint))
        opaque: list[str] = []
        for folder, _, names in os.walk(lower):
            is_opaque = any(folder == each or folder.startswith(f"{each}/") for each in opaque)
            if not is_opaque and "user.overlay.opaque" in os.listxattr(folder):
                opaque.append(folder)
                is_opaque = True
            for path in (os.path.join(folder, name) for name in names):
                seen = mountpoint / os.path.relpath(path, lower)
                if stat.S_ISCHR(os.lstat(path).st_mode) and (
                    is_opaque or not os.path.lexists(seen)
                ):
                    times = os.stat(folder)
                    os.unlink(path)
                    os.utime(folder, ns=(times.st_atime_ns, times.st_mtime_ns))


@dataclass
class Overlay:
    """A mount's folders: where it is, and what it writes to."""

    root: Path
    upper: Path
    work: Path

    def make_folders(self) -> None:
        """Make them, empty, the upperdir with the same time on either side."""
        for folder in (self.root, self.upper, self.work):
            folder.mkdir(parents=True)
            folder.chmod(0o755)
        os.utime(self.upper, (1, 1))


class KernelMount:
    """Kernel overlayfs."""

    def __init__(self, overlay: Overlay, image: Image) -> None:
        self.overlay = overlay
        self.is_mounted = False
        self._lowers = image.lowers

    def mount(self) -> None:
        """Mount, and give files with several names in the layers what POSIX promises of them.

        Overlayfs lets such names go apart when one of them is copied up, unless it has its `index`,
        which needs privileges of the host. So they are copied up at once, and linked.
        """
        lowers = ":".join(str(lower) for lower in reversed(self._lowers))
        options = (
            f"userxattr,lowerdir={lowers},upperdir={self.overlay.upper},workdir={self.overlay.work}"
        )
        mount_api.mount("judge", str(self.overlay.root), "overlay", 0, options)
        self.is_mounted = True
        for names in self._lower_links():
            self._join(names)

    def unmount(self) -> None:
        """Unmount; fails where anything is open."""
        _unmount(self.overlay.root)
        self.is_mounted = False

    def kill(self) -> None:
        """End the mount whatever is open."""
        if self.is_mounted:
            mount_api.umount(str(self.overlay.root), mount_api.MNT_DETACH)
            self.is_mounted = False

    def _lower_links(self) -> list[list[str]]:
        groups: dict[tuple[int, int], list[str]] = {}
        for folder, _, names in os.walk(self.overlay.root):
            for name in names:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                if status.st_nlink > 1:
                    groups.setdefault((status.st_dev, status.st_ino), []).append(path)
        return [names for names in groups.values() if not self._is_upper(names[0])]

    def _is_upper(self, path: str) -> bool:
        return os.path.lexists(self.overlay.upper / os.path.relpath(path, self.overlay.root))

    def _join(self, names: list[str]) -> None:
        parents = {os.path.dirname(name) for name in names}
        before = {parent: os.stat(parent) for parent in parents}
        first, *others = names
        status = os.lstat(first)
        times = (status.st_atime_ns, status.st_mtime_ns)
        os.utime(first, ns=times, follow_symlinks=False)
        for other in others:
            os.unlink(other)
            os.link(first, other, follow_symlinks=False)
        for parent, status in before.items():
            os.utime(parent, ns=(status.st_atime_ns, status.st_mtime_ns))


class OurMount:
    """The writable FUSE mount."""

    def __init__(self, overlay: Overlay, image: Image, maps: Maps, *, is_ephemeral: bool) -> None:
        self.overlay = overlay
        self._is_ephemeral = is_ephemeral
        self._maps = maps
        self._image = image
        self._pid = 0
        self._lifeline = -1
        self._log = overlay.work.parent / "server.log"

    def mount(self) -> None:
        """Mount."""
        folders = (self.overlay.upper, self.overlay.work)
        upper, work = (os.open(each, os.O_RDONLY | os.O_DIRECTORY) for each in folders)
        config = ServerConfig(
            mountpoint=str(self.overlay.root),
            tree=str(self._image.tree),
            layers=tuple(str(tar) for tar in self._image.tars),
            ready_fd=-1,
            upperdir_fd=upper,
            workdir_fd=work,
            uid_map=self._maps.uid.inside_ranges(),
            gid_map=self._maps.gid.inside_ranges(),
            overflow_uid=0,
            overflow_gid=0,
            is_ephemeral=self._is_ephemeral,
            log_path=str(self._log),
        )
        try:
            self._start(config)
        finally:
            os.close(upper)
            os.close(work)

    def _start(self, config: ServerConfig) -> None:
        ready, ready_end = os.pipe()
        lifeline_end, self._lifeline = os.pipe()
        config = replace(config, ready_fd=ready_end, lifeline_fd=lifeline_end)
        self._pid = os.fork()
        if self._pid == 0:
            _serve(config)
        os.close(ready_end)
        os.close(lifeline_end)
        with open(ready, "rb") as answer:
            line = answer.readline()
        assert line == b"ready\n", f"{line!r}\n{self._log.read_text()}"

    def unmount(self) -> None:
        """Unmount, which ends the server; fails where anything is open, or was left."""
        _unmount(self.overlay.root)
        self._stop()
        self._check()

    def kill(self) -> None:
        """End the mount whatever is open."""
        if self._pid:
            mount_api.umount(str(self.overlay.root), mount_api.MNT_DETACH)
            self._stop()

    def _stop(self) -> None:
        os.close(self._lifeline)
        os.waitpid(self._pid, 0)
        self._pid = 0

    def _check(self) -> None:
        """Raise AssertionError for what a server must not leave."""
        said = complaints(self._log.read_text())
        assert not said, f"the server logged:\n{said}"
        left = os.listdir(self.overlay.work)
        assert not left, f"left in the workdir: {left}"


def _unmount(root: Path) -> None:
    """Unmount; who looks through /proc holds what others have open, for a moment."""
    for _ in range(50):
        try:
            mount_api.umount(str(root))
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            time.sleep(0.02)
        else:
            return
    mount_api.umount(str(root))


def _serve(config: ServerConfig) -> None:
    """Be the server; holds nothing open that the operations have."""
    try:
        sys.settrace(None)
        # What other tests left to be collected would close its numbers, which are others' by then.
        gc.freeze()
        kept = {config.ready_fd, config.lifeline_fd, config.upperdir_fd, config.workdir_fd, 0, 1, 2}
        for name in os.listdir("/proc/self/fd"):
            if int(name) not in kept:
                _close(int(name))
        log = os.open(config.log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.dup2(log, 2)
        server.main([config.to_json()])
    finally:
        os._exit(1)


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        return  # the listing's own


def has_user_xattrs(folder: Path) -> bool:
    """Tell whether the file system of a folder takes attributes of `user.`."""
    try:
        os.setxattr(folder, "user.probe", b"")
        os.removexattr(folder, "user.probe")
    except OSError:
        return False
    return stat.S_ISDIR(folder.stat().st_mode)
