"""The overlay drivers, and which one a run gets.

`hybrid`: our FUSE file system is the read-only lower, kernel overlayfs puts the upperdir on top.
`fuse`: our FUSE file system is the whole overlay. `auto` tries the first and takes the second
where the kernel refuses: a refused mount costs microseconds, so there is no probe beforehand. Only
without user xattrs does the kernel mount and fail later; that is asked first.
"""

import errno
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

from fuse.server_config import ServerConfig
from rootless.errors import InvalidInput, OverlayError
from rootless.linux.mount_api import MNT_DETACH, MS_NODEV, MS_NOSUID, mount, umount
from rootless.overlay.serve import Server, start_server
from rootless.overlay.shared import SharedLower, SharedServer
from rootless.overlay.upperdir import Upperdir, inherit_root, suits_overlayfs

log = logging.getLogger(__name__)

DRIVERS = ("auto", "hybrid", "fuse")


@dataclass(frozen=True, slots=True)
class OverlayRequest:
    """What to mount.

    Attributes:
        folder: A folder of the run for mount points; this user's, local.
        tree: The merged tree's file.
        layers: The layers' tars or chunk tables, lowest first.
        uid_ranges: Mapped container UIDs, (first, length) each.
        gid_ranges: Mapped container GIDs.
        overflow_uid: UID shown for files whose owner is not mapped.
        overflow_gid: The same for GIDs.
        upperdir: Where writes go; None for a tmpfs that goes with the mount.
        driver: One of DRIVERS.
        name: What mount tables show.
        fetcher_fd: Socket to what fetches the missing parts of lazy layers; -1 for none. Stays the
            caller's, to be closed when the root is mounted.
    """

    folder: Path
    tree: Path
    layers: tuple[Path, ...]
    uid_ranges: tuple[tuple[int, int], ...]
    gid_ranges: tuple[tuple[int, int], ...]
    overflow_uid: int
    overflow_gid: int
    upperdir: Upperdir | None
    driver: str
    name: str
    fetcher_fd: int = -1


@dataclass(slots=True)
class MountedRoot:
    """A mounted root file system and the server behind it.

    Attributes:
        path: Where it is mounted.
        driver: "hybrid" or "fuse".
        server: The process behind it.
        mounts: What is to be unmounted, upper mount first.
        upper: Where writes go.
    """

    path: Path
    driver: str
    server: Server | SharedServer
    mounts: tuple[str, ...]
    upper: Path

    def unmount(self) -> None:
        """Unmount, upper mount first, and end the server. Idempotent."""
        for target in self.mounts:
            umount(target, MNT_DETACH)
        self.mounts = ()
        self.server.stop()


def check_driver(name: str) -> str:
    """Return a driver's name; raises InvalidInput."""
    if name not in DRIVERS:
        raise InvalidInput("unknown overlay driver", name, f"one of {', '.join(DRIVERS)}")
    return name


def mount_root(request: OverlayRequest, shared: SharedLower | None = None) -> MountedRoot:
    """Mount the root file system at `folder/rootfs`; raises OverlayError.

    Called by root of a user and mount namespace that nothing else uses. With `shared` its lower is
    there already, and the driver is hybrid or nothing.
    """
    upper, work = _upper_and_work(request)
    root_fs: MountedRoot | None = None
    if shared is not None:
        return _mount_over(request, upper, work, shared)
    if request.driver in ("auto", "hybrid") and _suits_hybrid(request, upper):
        root_fs = _mount_hybrid(request, upper, work)
    if root_fs is None:
        root_fs = _mount_fuse(request, upper, work)
    return root_fs


def _suits_hybrid(request: OverlayRequest, upper: Path) -> bool:
    """Return False where kernel overlayfs would mount and then fail; raises OverlayError there.

    Without user xattrs it mounts, but answers EIO where it cannot make a directory opaque.
    """
    if suits_overlayfs(upper):
        return True
    if request.driver == "hybrid":
        raise OverlayError(
            "kernel overlayfs cannot work there: no user xattrs",
            str(upper),
            "name a folder on another file system, or leave --overlay-driver away",
        )
    if request.upperdir is not None and not request.upperdir.ephemeral:
        log.warning("%s keeps no extended attributes: changed files lose theirs", upper)
    return False


def _upper_and_work(request: OverlayRequest) -> tuple[Path, Path]:
    if request.upperdir is not None:
        return request.upperdir.upper, request.upperdir.work
    scratch = request.folder / "scratch"
    scratch.mkdir(mode=0o700, exist_ok=True)
    mount("tmpfs", str(scratch), "tmpfs", MS_NODEV | MS_NOSUID, "mode=0700")
    for name in ("upper", "work"):
        (scratch / name).mkdir(mode=0o755)
    return scratch / "upper", scratch / "work"


def server_config(request: OverlayRequest, mountpoint: Path) -> ServerConfig:
    """Return what the server of a request's lower, or of its whole overlay, is told."""
    return ServerConfig(
        mountpoint=str(mountpoint),
        tree=str(request.tree),
        layers=tuple(str(layer) for layer in request.layers),
        fetcher_fd=request.fetcher_fd,
        uid_map=request.uid_ranges,
        gid_map=request.gid_ranges,
        overflow_uid=request.overflow_uid,
        overflow_gid=request.overflow_gid,
        fsname=request.name,
        ignores_signals=True,
        log_path=str(request.folder / "server.log"),
    )


def _mountpoint(request: OverlayRequest, name: str) -> Path:
    path = request.folder / name
    path.mkdir(mode=0o755, exist_ok=True)
    return path


def _mount_hybrid(request: OverlayRequest, upper: Path, work: Path) -> MountedRoot | None:
    """Return None where the kernel refuses and the driver may be another one."""
    lower = _mountpoint(request, "lower")
    server = start_server(server_config(request, lower))
    try:
        rootfs = _put_over(request, upper, work, lower)
    except OSError as error:
        umount(str(lower), MNT_DETACH)
        server.stop()
        if request.driver == "hybrid":
            raise _refused(upper, error.strerror) from error
        log.debug("hybrid refused, falling back to fuse: %s", error)
        return None
    return _writable(MountedRoot(rootfs, "hybrid", server, (str(rootfs), str(lower)), upper))


def _mount_over(
    request: OverlayRequest, upper: Path, work: Path, shared: SharedLower
) -> MountedRoot:
    if not suits_overlayfs(upper):
        raise _refused(upper, os.strerror(errno.EOPNOTSUPP))
    try:
        rootfs = _put_over(request, upper, work, shared.path)
    except OSError as error:
        raise _refused(upper, error.strerror) from error
    mounts = (str(rootfs), str(shared.path))
    return _writable(MountedRoot(rootfs, "hybrid", shared.server, mounts, upper))


def _put_over(request: OverlayRequest, upper: Path, work: Path, lower: Path) -> Path:
    rootfs = _mountpoint(request, "rootfs")
    inherit_root(upper, lower)
    mount_overlayfs(lower, upper, work, rootfs, volatile=_goes_with_run(request))
    return rootfs


def _refused(upper: Path, why: str | None) -> OverlayError:
    return OverlayError(
        f"kernel overlayfs refuses to mount: {why}",
        str(upper),
        "it needs Linux 5.11 and an upperdir with user xattrs; --overlay-driver fuse does without",
    )


def _writable(mounted: MountedRoot) -> MountedRoot:
    if os.statvfs(mounted.path).f_flag & os.ST_RDONLY:  # what overlayfs does without a workdir
        mounted.unmount()
        raise OverlayError(
            "no room for what the container writes",
            str(mounted.upper),
            "make room, or name another folder with ROOTLESS_SCRATCH",
        )
    return mounted


def _goes_with_run(request: OverlayRequest) -> bool:
    """Tell whether nobody reads the upperdir afterwards: writes need not reach the disk then."""
    return request.upperdir is None or request.upperdir.ephemeral


def mount_overlayfs(lower: Path, upper: Path, work: Path, target: Path, *, volatile: bool) -> None:
    """Mount kernel overlayfs as an unprivileged user can; raises OSError."""
    # By descriptor: option strings have no room for commas, colons and long paths.
    fds = [os.open(path, os.O_PATH | os.O_DIRECTORY) for path in (lower, upper, work)]
    try:
        names = ("lowerdir", "upperdir", "workdir")
        options = [f"{name}=/proc/self/fd/{fd}" for name, fd in zip(names, fds, strict=True)]
        options += ["userxattr", *(["volatile"] if volatile else [])]
        mount("rootless", str(target), "overlay", 0, ",".join(options))
    finally:
        for fd in fds:
            os.close(fd)


def _mount_fuse(request: OverlayRequest, upper: Path, work: Path) -> MountedRoot:
    rootfs = _mountpoint(request, "rootfs")
    upper_fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    work_fd = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    config = replace(
        server_config(request, rootfs),
        upperdir_fd=upper_fd,
        workdir_fd=work_fd,
        inherits_root=True,
        is_volatile=_goes_with_run(request),
        is_ephemeral=_goes_with_run(request),
    )
    try:
        server = start_server(config, (upper_fd, work_fd))
    finally:
        os.close(upper_fd)
        os.close(work_fd)
    return MountedRoot(rootfs, "fuse", server, (str(rootfs),), upper)
