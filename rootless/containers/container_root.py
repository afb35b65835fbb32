"""The root directory of a container as a descriptor: what runs as it is, what does not, mounted.

For a process that was forked for it. It stays in the host's mount namespace, so that nothing that
it imports can be a container's (CVE-2019-14271), and reaches those files by descriptor only.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rootless.containers.container import Container, PlainRoot
from rootless.containers.overlay_root import mount_overlay
from rootless.containers.run_folder import RunFolder
from rootless.errors import Conflict
from rootless.linux import namespaces
from rootless.linux.pidfd import start_time
from rootless.overlay.upperdir import Upperdir
from rootless.runtime.join import open_namespaces

_ROOT = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def root_of_process(pid: int, started: int) -> Iterator[int]:
    """Give the root directory of a running container, with all that is mounted there.

    Args:
        pid: A process of it; the caller joins its user namespace.
        started: When that started (`pidfd.start_time`).

    Raises:
        Conflict: The process has ended.
    """
    with open_namespaces(pid, started) as found:
        for fd, flag in found:
            if flag == namespaces.CLONE_NEWUSER:
                namespaces.setns(fd, flag)
    try:
        root_fd = os.open(f"/proc/{pid}/root", _ROOT)
    except (FileNotFoundError, ProcessLookupError) as error:
        raise Conflict("the container's process has ended", str(pid)) from error
    try:
        if start_time(pid) != started:
            raise Conflict("the container's process has ended", str(pid))
        yield root_fd
    finally:
        os.close(root_fd)


@contextmanager
def mounted_root(
    container: Container, folder: RunFolder, upperdir: Upperdir | None
) -> Iterator[int]:
    """Give the root directory of a container that does not run.

    Called by root of a new user namespace with the container's maps. What the container would be
    given at its start, volumes among it, is not mounted.

    Args:
        container: Which one.
        folder: A run's folder, for mount points.
        upperdir: The container's, locked by the caller.
    """
    root = container.root
    if isinstance(root, PlainRoot):
        fd = os.open(root.path, _ROOT)
        try:
            yield fd
        finally:
            os.close(fd)
        return
    namespaces.unshare_mounts()
    mounted = mount_overlay(container, root, folder, upperdir)
    try:
        fd = os.open(mounted.path, _ROOT)
        try:
            yield fd
        finally:
            os.close(fd)
    finally:
        mounted.unmount()
