"""The mounts of a spec, made below the root file system (runtime-spec config.md, "Mounts").

Targets are descriptors (see `rootfs`), bind sources are detached copies that are attached to
them, so nothing is resolved twice. What the kernel refuses to a user namespace has a fall-back
that is said aloud: a fresh /sys needs a network namespace of one's own, a fresh /proc needs one
that nobody masked (user_namespaces(7), "mount_too_revealing").
"""

import errno
import logging
import os
import shutil
import stat
from dataclasses import replace

from rootless.errors import InvalidInput, NotFound, OverlayError
from rootless.linux import mount_api as api
from rootless.linux.openat2 import open_in_root
from rootless.oci.runtime_spec import Mount
from rootless.runtime.mount_attributes import map_owners, set_attributes
from rootless.runtime.mount_options import MountOptions, parse_mount_options
from rootless.runtime.rootfs import open_target

log = logging.getLogger(__name__)

_OF_THE_KERNEL = ("proc", "sysfs")
_NULL = os.makedev(1, 3)
_CGROUPS = "/sys/fs/cgroup"


def apply_mount(root_fd: int, mount: Mount) -> None:
    """Make one mount; raises OverlayError or NotFound."""
    options = parse_mount_options(mount.options)
    if mount.type == "bind" or options.is_bind:
        _bind(root_fd, mount, options)
    elif mount.type in ("cgroup", "cgroup2"):
        _cgroup(root_fd, mount, options)
    else:
        _new_file_system(root_fd, mount, options)


def _bind(root_fd: int, mount: Mount, options: MountOptions) -> None:
    if options.data:
        log.warning("%s: a bind mount has no option %s", mount.destination, ",".join(options.data))
    recursive = bool(options.flags & api.MS_REC)
    try:
        tree_fd = api.open_tree(mount.source, recursive=recursive)
    except FileNotFoundError as error:
        raise NotFound("the source of a volume does not exist", mount.source) from error
    except OSError as error:
        raise OverlayError(f"cannot bind: {error.strerror}", mount.source) from error
    try:
        map_owners(tree_fd, mount, options)
        directory = os.path.isdir(f"/proc/self/fd/{tree_fd}")
        target_fd = open_target(root_fd, mount.destination, directory=directory)
        try:
            api.move_mount(tree_fd, target_fd)
        finally:
            os.close(target_fd)
        set_attributes(tree_fd, mount, options, new=False)
    except OSError as error:
        raise _refused(mount, error) from error
    finally:
        os.close(tree_fd)


def _new_file_system(root_fd: int, mount: Mount, options: MountOptions) -> None:
    if options.idmap is not None or mount.uid_mappings or mount.gid_mappings:
        raise InvalidInput("only a bind mount can be ID-mapped", mount.destination)
    in_image = options.copy_up and _is_directory(root_fd, mount.destination)
    # What is to be filled first becomes read-only afterwards.
    late = options.flags & api.MS_RDONLY if in_image else 0
    covered_fd = open_target(root_fd, mount.destination, directory=True)
    try:
        if mount.type in _OF_THE_KERNEL:
            _check_place(root_fd, covered_fd, mount.destination)
        try:
            _mount_on(covered_fd, mount, replace(options, flags=options.flags & ~late))
        except OSError as error:
            if not _fall_back(root_fd, mount, options, error):
                raise _refused(mount, error) from error
            return
        mount_fd = open_target(root_fd, mount.destination, directory=True)
        try:
            if in_image:
                _copy_up(mount_fd, covered_fd, options)
            if late:
                api.mount_setattr(mount_fd, api.MOUNT_ATTR_RDONLY, recursive=False)
            set_attributes(mount_fd, mount, options, new=True)
        except OSError as error:
            raise _refused(mount, error) from error
        finally:
            os.close(mount_fd)
    finally:
        os.close(covered_fd)


def _check_place(root_fd: int, target_fd: int, destination: str) -> None:
    """Refuse a link of the image: what is masked or written below /proc later would be elsewhere.

    CVE-2019-19921, CVE-2025-52881.
    """
    root, place = (os.readlink(f"/proc/self/fd/{fd}") for fd in (root_fd, target_fd))
    if place != os.path.normpath(f"{root}/{destination}"):
        raise OverlayError("the mount point must not lead through links of the image", destination)


def _is_directory(root_fd: int, path: str) -> bool:
    try:
        os.close(open_in_root(root_fd, path, os.O_PATH | os.O_DIRECTORY))
    except OSError:
        return False
    return True


def _mount_on(target_fd: int, mount: Mount, options: MountOptions) -> None:
    api.mount(
        mount.source or mount.type,
        f"/proc/self/fd/{target_fd}",
        mount.type,
        options.flags,
        ",".join(options.data),
    )


def _fall_back(root_fd: int, mount: Mount, options: MountOptions, error: OSError) -> bool:
    """Make the next best mount; False where there is none."""
    if error.errno not in (errno.EPERM, errno.EACCES):
        return _in_another_way(root_fd, mount, options, error)
    if mount.type == "sysfs":
        log.debug("no fresh sysfs without a network namespace: binding the host's /sys")
        read_only = api.MOUNT_ATTR_RDONLY if options.flags & api.MS_RDONLY else 0
        _bind_read_only(root_fd, "/sys", mount.destination, attributes=read_only)
        return True
    if mount.type == "proc":
        log.warning("/proc is masked on this host: the container sees the host's processes")
        _bind_read_only(root_fd, "/proc", mount.destination, attributes=0)
        return True
    if mount.type == "mqueue":
        if os.path.ismount("/dev/mqueue"):
            log.debug("no message queues without an IPC namespace: binding the host's")
            _bind_read_only(root_fd, "/dev/mqueue", mount.destination, attributes=0)
        else:
            log.info("%s: the host's IPC namespace has no message queues", mount.destination)
        return True
    return False


def _in_another_way(root_fd: int, mount: Mount, options: MountOptions, error: OSError) -> bool:
    """Mount the same once more, differently; False where that would not help."""
    if mount.type == "devpts" and error.errno == errno.EINVAL:
        # the terminal group of the image is not mapped, as in a map of one ID
        data = tuple(option for option in options.data if not option.startswith("gid="))
        if data != options.data:
            _new_file_system(root_fd, mount, replace(options, data=data))
            return True
    if mount.type == "cgroup2" and error.errno == errno.EBUSY:
        _over_itself(root_fd, mount, options)
        return True
    return False


def _bind_read_only(
    root_fd: int, source: str, destination: str, *, attributes: int = api.MOUNT_ATTR_RDONLY
) -> None:
    safe = attributes | api.MOUNT_ATTR_NOSUID | api.MOUNT_ATTR_NODEV | api.MOUNT_ATTR_NOEXEC
    mount = Mount(destination, "bind", source, ("rbind", "rslave"))
    options = replace(parse_mount_options(mount.options), recursive_attributes=safe)
    _bind(root_fd, mount, options)


def _cgroup(root_fd: int, mount: Mount, options: MountOptions) -> None:
    """Mount the unified hierarchy; where that cannot be, show the host's read-only."""
    if os.path.exists(f"{_CGROUPS}/cgroup.controllers"):
        try:
            _new_file_system(root_fd, replace(mount, type="cgroup2", source="cgroup2"), options)
            return
        except OverlayError as error:
            log.warning("%s shows the host's, read-only: %s", mount.destination, error)
    elif not os.path.isdir(_CGROUPS):
        log.warning("no cgroups on this host: %s is not mounted", mount.destination)
        return
    else:  # version 1 cannot be mounted without root at all
        log.info("cgroup version 1: %s shows the host's, read-only", mount.destination)
    _bind_read_only(root_fd, _CGROUPS, mount.destination)


def _over_itself(root_fd: int, mount: Mount, options: MountOptions) -> None:
    """Mount what is there already, with the host's /sys; mount(2) refuses that with EBUSY."""
    target_fd = open_target(root_fd, mount.destination, directory=True)
    try:
        mount_fd = api.detached_mount(mount.type, mount.source or mount.type)
        try:
            api.move_mount(mount_fd, target_fd)
            set_attributes(mount_fd, mount, options, new=False)
        finally:
            os.close(mount_fd)
    finally:
        os.close(target_fd)


def _copy_up(target_fd: int, covered_fd: int, options: MountOptions) -> None:
    """Fill a new tmpfs with what the image has at its place, its mode too if none was asked for."""
    shutil.copytree(
        f"/proc/self/fd/{covered_fd}",
        f"/proc/self/fd/{target_fd}",
        symlinks=True,
        dirs_exist_ok=True,
    )
    covered = os.fstat(covered_fd)
    os.chown(f"/proc/self/fd/{target_fd}", covered.st_uid, covered.st_gid)
    for option in options.data:
        if option.startswith("mode="):  # which the kernel has found to be octal
            os.chmod(f"/proc/self/fd/{target_fd}", int(option[5:], 8))


def _refused(mount: Mount, error: OSError) -> OverlayError:
    bind = parse_mount_options(mount.options).is_bind
    kind = mount.type or ("bind" if bind else "a file system without a type")
    return OverlayError(
        f"cannot mount {kind} with options {','.join(mount.options) or 'none'}: {error.strerror}",
        mount.destination,
    )


def mask(path: str) -> None:
    """Hide a file behind /dev/null or a directory behind an empty read-only tmpfs."""
    if os.path.isdir(path):
        try:
            api.mount("tmpfs", path, "tmpfs", api.MS_RDONLY, "size=0k")
        except OSError as error:
            raise OverlayError(f"cannot mask: {error.strerror}", path) from error
    elif os.path.exists(path):  # what is not there needs no mask
        null = os.lstat("/dev/null")  # not a link of the image (CVE-2025-31133)
        if not stat.S_ISCHR(null.st_mode) or null.st_rdev != _NULL:
            raise OverlayError("cannot mask: /dev/null is not the null device", path)
        _cover(path, "/dev/null", 0)


def make_read_only(path: str) -> None:
    """Make a path read-only by a mount of itself on itself, with those below it."""
    if os.path.exists(path):  # what is not there cannot be written
        _cover(path, path, api.MOUNT_ATTR_RDONLY)


def _cover(path: str, source: str, attributes: int) -> None:
    try:
        tree_fd = api.open_tree(source, recursive=True)
        try:
            target_fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                api.move_mount(tree_fd, target_fd)
            finally:
                os.close(target_fd)
            if attributes:
                api.mount_setattr(tree_fd, attributes, recursive=True)
        finally:
            os.close(tree_fd)
    except OSError as error:
        raise OverlayError(f"cannot cover: {error.strerror}", path) from error
