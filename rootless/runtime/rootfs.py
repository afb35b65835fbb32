"""Inside the root file system before it is the root: finding and making mount targets.

Every path is resolved by openat2(2) with RESOLVE_IN_ROOT: a link in a hostile image can point
only to another place of the same image (CVE-2019-19921, CVE-2021-30465 and their kind).
"""

import errno
import os
import posixpath
import stat

from rootless.errors import OverlayError
from rootless.linux.openat2 import open_in_root

_MOST_LINKS = 40


def open_target(root_fd: int, path: str, *, directory: bool) -> int:
    """Return an O_PATH descriptor of `path` below the root, making what is missing.

    Raises OverlayError where it cannot be made, or is a file where a directory must be.
    """
    try:
        fd = _open_or_make(root_fd, path, directory=directory, links=0)
    except OSError as error:
        fix = ""
        if error.errno in (errno.EROFS, errno.EACCES):
            fix = "the root file system is read-only and lacks it"
        elif error.errno in (errno.ENOSPC, errno.EDQUOT):
            fix = "make room, or name another folder with ROOTLESS_SCRATCH"
        raise OverlayError(f"cannot make the mount point: {error.strerror}", path, fix) from error
    if directory != stat.S_ISDIR(os.fstat(fd).st_mode):
        os.close(fd)
        kind = "a directory" if directory else "a file"
        raise OverlayError(f"the mount point must be {kind} in the image", path)
    return fd


def _open_or_make(root_fd: int, path: str, *, directory: bool, links: int) -> int:
    try:
        return open_in_root(root_fd, path, os.O_PATH)
    except FileNotFoundError:
        if links > _MOST_LINKS:
            raise
    parent, name = posixpath.split(posixpath.normpath(f"/{path}"))
    parent_fd = (
        _open_or_make(root_fd, parent, directory=True, links=links + 1)
        if parent != "/"
        else os.dup(root_fd)
    )
    try:
        link = _read_link(parent_fd, name)
        if link is not None:  # dangling, as /etc/resolv.conf often is
            # "..", of a link that lies behind another link, counts from where it really lies
            folder = posixpath.join("/", os.path.relpath(_real(parent_fd), _real(root_fd)))
            path = link if link.startswith("/") else posixpath.join(folder, link)
            return _open_or_make(root_fd, path, directory=directory, links=links + 1)
        if directory:
            os.mkdir(name, 0o755, dir_fd=parent_fd)
        else:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o644, dir_fd=parent_fd))
        return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent_fd)
    finally:
        os.close(parent_fd)


def _real(fd: int) -> str:
    return os.readlink(f"/proc/self/fd/{fd}")


def _read_link(parent_fd: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=parent_fd)
    except OSError:
        return None


def make_directory(root_fd: int, path: str, uid: int, gid: int) -> None:
    """Make a directory with its parents where it is missing; the last one belongs to the IDs."""
    try:
        os.close(open_in_root(root_fd, path, os.O_PATH | os.O_DIRECTORY))
    except FileNotFoundError:
        fd = open_target(root_fd, path, directory=True)
        try:
            os.chown(f"/proc/self/fd/{fd}", uid, gid)
        finally:
            os.close(fd)
    except NotADirectoryError as error:
        raise OverlayError("the working directory is a file in the image", path) from error
    except OSError as error:  # ELOOP: it leads through one of /proc's links (CVE-2024-21626)
        raise OverlayError(
            f"the working directory cannot be used: {error.strerror}", path
        ) from error
