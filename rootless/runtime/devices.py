"""/dev: the nodes, links and console that every container has (runtime-spec config-linux.md).

mknod(2) of devices is refused in a user namespace, so the host's nodes are bound instead.
"""

import contextlib
import os

from rootless.errors import OverlayError
from rootless.linux import mount_api as api
from rootless.linux.openat2 import open_in_root
from rootless.runtime.rootfs import open_target

DEFAULT_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)


def populate_dev(root_fd: int) -> None:
    """Bind the default devices and make the usual links below /dev."""
    for name in DEFAULT_DEVICES:
        bind_device(root_fd, f"/dev/{name}", f"/dev/{name}")
    dev_fd = open_in_root(root_fd, "/dev", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name, target in _LINKS:
            with contextlib.suppress(FileExistsError):
                os.symlink(target, name, dir_fd=dev_fd)
    finally:
        os.close(dev_fd)


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


def bind_console(root_fd: int, terminal_fd: int) -> None:
    """Bind the container's terminal on /dev/console."""
    tree_fd = api.open_tree(f"/proc/self/fd/{terminal_fd}", recursive=False)
    try:
        _attach(root_fd, tree_fd, "/dev/console")
    finally:
        os.close(tree_fd)


def _attach(root_fd: int, tree_fd: int, destination: str) -> None:
    target_fd = open_target(root_fd, destination, directory=False)
    try:
        api.move_mount(tree_fd, target_fd)
    except OSError as error:
        raise OverlayError(f"cannot bind the device: {error.strerror}", destination) from error
    finally:
        os.close(target_fd)
