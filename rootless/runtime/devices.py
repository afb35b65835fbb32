"""/dev: the nodes, links and console that every container has (runtime-spec config-linux.md).

mknod(2) of devices is refused in a user namespace, so the host's nodes are bound instead.
"""

import contextlib
import logging
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator

from rootless.errors import NotFound, OverlayError
from rootless.linux import mount_api as api
from rootless.linux.openat2 import open_in_root
from rootless.oci.linux_objects import Device
from rootless.oci.runtime_spec import Mount
from rootless.runtime.rootfs import open_target

log = logging.getLogger(__name__)

DEFAULT_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEFAULT_PATHS = tuple(f"/dev/{name}" for name in DEFAULT_DEVICES)
_DEV = "/dev"
_OWN_FOLDERS = ("fd", "mqueue", "pts", "shm")
_CONSOLE = "tty"
_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)


def populate_dev(root_fd: int, devices: Iterable[Device]) -> None:
    """Bind the default devices and a spec's own, and make the usual links below /dev."""
    for name in DEFAULT_DEVICES:
        bind_device(root_fd, f"/dev/{name}", f"/dev/{name}")
    dev_fd = open_in_root(root_fd, "/dev", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name, target in _LINKS:
            with contextlib.suppress(FileExistsError):
                os.symlink(target, name, dir_fd=dev_fd)
    finally:
        os.close(dev_fd)
    for device in devices:
        _make_device(root_fd, device)


def bind_device(root_fd: int, source: str, destination: str) -> None:
    """Bind one device node of the host; raises OverlayError."""
    try:
        tree_fd = api.open_tree(source, recursive=False)
    except OSError as error:
        raise OverlayError(f"cannot pass the device: {error.strerror}", source) from error
    try:
        _attach(root_fd, tree_fd, destination)
    finally:
        os.close(tree_fd)


def bind_usable(root_fd: int, mounts: Iterable[Mount]) -> None:
    """Bind all nodes of the host that this process may read or write, at the same paths.

    Not terminals that are somebody's, nor where a mount was asked for: nothing is made in a folder
    of the user's. One that is gone meanwhile is passed by.
    """
    taken = [each.destination.rstrip("/") for each in mounts if each.destination != _DEV]
    if any(each.destination == _DEV and each.type != "tmpfs" for each in mounts):
        return
    for path in _usable(_DEV):
        if not any(f"{path}/".startswith(f"{place}/") for place in taken):
            try:
                bind_device(root_fd, path, path)
            except OverlayError as error:
                log.debug("not passed: %s", error)


def _usable(folder: str) -> Iterator[str]:
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _OWN_FOLDERS]
        for name in names:
            node = f"{path}/{name}"
            with contextlib.suppress(OSError):
                mode = os.lstat(node).st_mode
                is_device = stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
                if is_device and not _is_own(node) and _may_use(node):
                    yield node


def _is_own(node: str) -> bool:
    """Tell whether a container has its own of a name, or none: a virtual console is nobody's."""
    name = node.removeprefix(f"{_DEV}/")
    is_console = name.startswith(_CONSOLE) and name.removeprefix(_CONSOLE).isdecimal()
    return is_console or name in (*DEFAULT_DEVICES, "console", "ptmx")


def _may_use(node: str) -> bool:
    return os.access(node, os.R_OK) or os.access(node, os.W_OK)


def _make_device(root_fd: int, device: Device) -> None:
    if device.type == "p":
        _make_fifo(root_fd, device)
        return
    source = _find(device)
    if source == device.path and source in _DEFAULT_PATHS:
        return  # it is there already
    bind_device(root_fd, source, device.path)
    log.debug("%s is the host's: its owner and mode are, too", device.path)


def _find(device: Device) -> str:
    """Return the host's node of a device: of the same name, else the one that the kernel names."""
    block = device.type == "b"
    number = f"{device.major}:{device.minor}"
    candidates = [device.path]
    try:
        with open(f"/sys/dev/{'block' if block else 'char'}/{number}/uevent") as file:
            lines = file.read().splitlines()
    except OSError:
        lines = []
    candidates += [f"/dev/{line[8:]}" for line in lines if line.startswith("DEVNAME=")]
    for candidate in candidates:
        try:
            found = os.stat(candidate)
        except OSError:
            continue
        kind = stat.S_ISBLK if block else stat.S_ISCHR
        if kind(found.st_mode) and found.st_rdev == os.makedev(device.major, device.minor):
            return candidate
    raise NotFound(
        "the host has no node of the device, and none can be made without root",
        f"linux.devices: {device.path} ({device.type} {number})",
    )


def _make_fifo(root_fd: int, device: Device) -> None:
    folder, name = posixpath.split(posixpath.normpath(device.path))
    folder_fd = open_target(root_fd, folder, directory=True)
    try:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(name, dir_fd=folder_fd)
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder_fd)
        try:
            if not stat.S_ISFIFO(os.fstat(fd).st_mode):
                raise OverlayError("cannot make the FIFO: something else is there", device.path)
            os.chmod(f"/proc/self/fd/{fd}", 0o666 if device.mode is None else device.mode)
            os.chown(f"/proc/self/fd/{fd}", device.uid or 0, device.gid or 0)
        finally:
            os.close(fd)
    except OSError as error:
        raise OverlayError(f"cannot make the FIFO: {error.strerror}", device.path) from error
    finally:
        os.close(folder_fd)


def bind_console(root_fd: int, terminal_fd: int) -> None:
    """Bind the container's terminal on /dev/console."""
    tree_fd = api.open_tree(f"/proc/self/fd/{terminal_fd}", recursive=False)
    try:
        _attach(root_fd, tree_fd, "/dev/console")
    finally:
        os.close(tree_fd)


def bind_callers_terminal(tree_fd: int) -> None:
    """Attach a detached mount of the caller's terminal on /dev/console, in the container."""
    root_fd = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _attach(root_fd, tree_fd, "/dev/console")
    finally:
        os.close(root_fd)


def _attach(root_fd: int, tree_fd: int, destination: str) -> None:
    target_fd = open_target(root_fd, destination, directory=False)
    try:
        api.move_mount(tree_fd, target_fd)
    except OSError as error:
        raise OverlayError(f"cannot bind the device: {error.strerror}", destination) from error
    finally:
        os.close(target_fd)
