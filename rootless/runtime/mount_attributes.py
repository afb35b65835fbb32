"""What is set on a mount that is there: attributes, propagation, ID maps (mount_setattr(2))."""

import logging
import os
import signal
from typing import NoReturn

from rootless.errors import InvalidInput, OverlayError
from rootless.linux import mount_api as api
from rootless.linux.channel import Channel
from rootless.linux.namespaces import CLONE_NEWUSER, unshare
from rootless.linux.prctl import set_dumpable
from rootless.oci.linux_spec import IDMapping
from rootless.oci.runtime_spec import Mount
from rootless.runtime.mount_options import MountOptions, parse_mount_options

log = logging.getLogger(__name__)


def set_attributes(mount_fd: int, mount: Mount, options: MountOptions, *, new: bool) -> None:
    """Set what the options ask for; of a `new` file system mount(2) has set its own already."""
    if not new and options.attributes:
        api.mount_setattr(mount_fd, options.attributes, recursive=False)
    if not new and options.times_of_access is not None:
        _set_times_of_access(mount_fd, mount, options.times_of_access)
    if options.recursive_attributes or options.recursive_cleared:
        api.mount_setattr(
            mount_fd,
            options.recursive_attributes,
            cleared=options.recursive_cleared,
            recursive=True,
        )
    if options.propagation:
        _set_propagation(mount_fd, options.propagation)


def _set_times_of_access(mount_fd: int, mount: Mount, attributes: int) -> None:
    try:
        api.mount_setattr(
            mount_fd,
            attributes,
            cleared=api.MOUNT_ATTR__ATIME | api.MOUNT_ATTR_NODIRATIME,
            recursive=False,
        )
    except PermissionError:  # nothing is protected by it
        log.warning("%s: the host has fixed how times of access are kept", mount.destination)


def set_propagation(path: str, name: str) -> None:
    """Set the propagation of the mount at a path: "slave", or "rslave" for those below it too."""
    fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _set_propagation(fd, parse_mount_options([name]).propagation)
    finally:
        os.close(fd)


def _set_propagation(mount_fd: int, flags: int) -> None:
    recursive = bool(flags & api.MS_REC)
    api.mount_setattr(mount_fd, 0, recursive=recursive, propagation=flags & ~api.MS_REC)


def map_owners(tree_fd: int, mount: Mount, options: MountOptions) -> None:
    """Give a tree that is not attached yet its own ID maps, where they are asked for.

    Raises InvalidInput, or OverlayError where the kernel refuses: it wants the file system to
    belong to the container's user namespace, which those of the host do not.
    """
    if options.idmap is None and not mount.uid_mappings and not mount.gid_mappings:
        return
    if not mount.uid_mappings or not mount.gid_mappings:
        raise InvalidInput(
            "an ID-mapped mount needs its uidMappings and gidMappings", mount.destination
        )
    userns_fd = _open_namespace(mount)
    try:
        api.mount_setattr(
            tree_fd, api.MOUNT_ATTR_IDMAP, recursive=bool(options.idmap), userns_fd=userns_fd
        )
    except OSError as error:
        raise OverlayError(
            f"cannot map the owners of a mount: {error.strerror}",
            f"{mount.source} on {mount.destination}",
            "without root this works for file systems that the container has mounted itself",
        ) from error
    finally:
        os.close(userns_fd)


def _open_namespace(mount: Mount) -> int:
    """Return a descriptor of a user namespace with the mount's maps.

    A child makes it and hands its folder of /proc over: its process ID is another one there.
    """
    ours, theirs = Channel.pair()
    pid = os.fork()
    if pid == 0:
        _hold_namespace(theirs)
    theirs.close()
    try:
        received = ours.receive()
        if received is None or not received[1]:
            raise OverlayError("cannot make a user namespace for the maps of a mount")
        folder_fd = received[1][0]
        try:
            for kind, mappings in (("uid", mount.uid_mappings), ("gid", mount.gid_mappings)):
                _write_map(folder_fd, kind, mappings)
            return os.open("ns/user", os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder_fd)
        except OSError as error:
            raise OverlayError(
                f"cannot make the ID maps of a mount: {error.strerror}", mount.destination
            ) from error
        finally:
            os.close(folder_fd)
    finally:
        ours.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _hold_namespace(channel: Channel) -> NoReturn:
    try:
        # Its files in /proc must be the caller's to be written; it dies before anything else runs.
        set_dumpable(True)
        unshare(CLONE_NEWUSER)
        channel.send({}, [os.open("/proc/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)])
        channel.receive()  # the end of the stream: the namespace is no longer needed
    finally:
        os._exit(0)


def _write_map(folder_fd: int, kind: str, mappings: tuple[IDMapping, ...]) -> None:
    lines = (f"{line.container_id} {_inside(kind, line)} {line.size}\n" for line in mappings)
    fd = os.open(f"{kind}_map", os.O_WRONLY | os.O_CLOEXEC, dir_fd=folder_fd)
    try:
        os.write(fd, "".join(lines).encode())
    finally:
        os.close(fd)


def _inside(kind: str, mapping: IDMapping) -> int:
    """Return the container's ID for a host ID: the map is written from inside the container."""
    with open(f"/proc/self/{kind}_map", encoding="ascii") as file:
        for line in file:
            inside, outside, size = (int(number) for number in line.split())
            if outside <= mapping.host_id and mapping.host_id + mapping.size <= outside + size:
                return inside + mapping.host_id - outside
    raise InvalidInput(
        "an ID-mapped mount names host IDs that the container does not have",
        f"{mapping.host_id}..{mapping.host_id + mapping.size - 1}",
    )
