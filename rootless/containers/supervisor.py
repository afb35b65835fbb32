"""The process between the command line and the container: it owns what the container stands on.

It is root of the container's user namespace, in a mount namespace of its own, outside of the
container's PID namespace. It mounts the root file system, starts PID 1, and when that ends, or
when the command line is gone, it takes everything down again.
"""

import contextlib
import os
import select
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rootless import timings
from rootless.containers.container import Container, OverlayRoot, PlainRoot
from rootless.containers.network.attach import attach
from rootless.containers.network.drain import wait_until_sent
from rootless.containers.network.forwarder import Forwarder
from rootless.containers.overlay_root import mount_overlay, overlay_request
from rootless.containers.run_folder import RunFolder, remove_cgroup
from rootless.containers.shared_pids import SharedPids
from rootless.errors import OverlayError
from rootless.linux import namespaces, prctl
from rootless.linux.channel import Channel
from rootless.linux.remove_tree import remove_tree
from rootless.linux.terminal import State, restore_if_raw
from rootless.oci.runtime_spec import Mount, Spec
from rootless.overlay.driver import MountedRoot, mount_root
from rootless.overlay.upperdir import Upperdir
from rootless.runtime import sandbox
from rootless.runtime.cgroup import Cgroup
from rootless.runtime.signals import FORWARDED

if TYPE_CHECKING:
    from rootless.overlay.shared import SharedLower


class Furnishing(Protocol):
    """What a keeper adds: mounts that no spec can ask for, and what is made of the files written.

    All of it is called in the supervisor, a forked child of who made the object.
    """

    def furnish(self, folder: RunFolder, spec: Spec) -> Spec:
        """Mount in the run's folder what is to be seen besides; return the spec that binds it."""
        ...

    def close(self) -> None:
        """Take it down; called whatever has happened."""
        ...

    def collect(self, upper: Path) -> None:
        """Read what a workload that ended with status 0 has written; nothing is mounted by now."""
        ...


@dataclass(frozen=True, slots=True)
class Resources:
    """What the command line opened for the run; inherited by the fork.

    Attributes:
        folder: The run's folder.
        upperdir: None for a tmpfs.
        control: The channel's end for PID 1.
        terminal_state: The caller's terminal as it was, to be put back whatever happens.
        cgroup: The container's; None where it stays in the caller's.
        network_fd: The namespace of a network that is joined.
        fetcher_fd: The FUSE server's socket to what fetches parts of layers; -1 for none.
        furnishing: What the keeper adds; None for nothing.
        passed_fds: Descriptors of the caller's that the workload gets.
        ignored: Signals that the workload starts with ignored.
        lower: The image's lower, mounted in a mount namespace that is to be entered; None for one
            of the run's own.
    """

    folder: RunFolder
    upperdir: Upperdir | None
    control: Channel
    terminal_state: State | None
    cgroup: Cgroup | None = None
    network_fd: int = -1
    fetcher_fd: int = -1
    furnishing: Furnishing | None = None
    ignored: tuple[int, ...] = ()
    passed_fds: tuple[int, ...] = ()
    lower: "SharedLower | None" = None


def supervise(container: Container, resources: Resources, channel: Channel) -> int:
    """Run the container to its end; return its status. Errors are raised."""
    prctl.set_name("rootless")
    outlive_signals()
    if resources.lower is not None:
        resources.lower.enter_mounts()
    namespaces.unshare_mounts()
    root = _mount(container, resources)
    timings.mark("root mounted")
    forwarder, status = None, -1
    try:
        forwarder = attach(container.network, resources.network_fd, str(resources.folder.path))
        options = sandbox_options(container, root, resources)
        spec = container.network.spec_inside(with_name_files(container, resources.folder))
        if resources.furnishing is not None:
            spec = resources.furnishing.furnish(resources.folder, spec)
        # From here on the end of the channel tells that the command line is gone, and there is
        # more to do then than to die.
        prctl.clear_parent_death_signal()
        pid = sandbox.start(spec, options, resources.control)
        timings.mark("PID 1 started")
        resources.control.close()
        if resources.cgroup is not None:
            resources.cgroup.close()
        pidfd = os.pidfd_open(pid)
        shared = SharedPids(pid, pidfd) if container.pid else None
        channel.send({"init": pid}, [pidfd])
        try:
            _watch(pidfd, root, forwarder, resources, channel, shared=shared)
        finally:
            os.close(pidfd)
        _, waited = os.waitpid(pid, 0)
        timings.mark("command and PID 1 ended")
        if shared is not None:
            shared.end()
        code = os.waitstatus_to_exitcode(waited)
        status = code if code >= 0 else 128 - code
        if forwarder is not None:
            wait_until_sent()
        return status
    finally:
        if forwarder is not None:
            forwarder.stop()
        take_down(root, resources, is_good=status == 0)
        timings.mark("root taken down, server gone")


def sandbox_options(
    container: Container, root: MountedRoot | None, resources: Resources
) -> sandbox.SandboxOptions:
    """Return how PID 1 makes the container on what stands ready."""
    return sandbox.SandboxOptions(
        rootfs=str(_root_path(container, root)),
        set_groups=container.maps.allows_setgroups and not container.keep_groups,
        close_stdin=not container.interactive,
        devices=container.devices,
        host_devices=container.privileged,
        cgroup_fd=-1 if resources.cgroup is None else resources.cgroup.procs_fd(),
        seccomp=container.seccomp,
        own_session=not container.in_session,
        ignored=resources.ignored,
        passed_fds=resources.passed_fds,
    )


def outlive_signals() -> None:
    """A batch system signals every process of a job: what that means is the workload's to say."""
    for number in FORWARDED:
        signal.signal(number, lambda _number, _frame: None)  # not ignored: exec would keep that


def _root_path(container: Container, root: MountedRoot | None) -> Path:
    if isinstance(container.root, PlainRoot):
        return container.root.path
    assert root is not None  # noqa: S101 - `_mount` mounts every overlay
    return root.path


def _mount(container: Container, resources: Resources) -> MountedRoot | None:
    root = container.root
    if not isinstance(root, OverlayRoot):
        return None
    fd = resources.fetcher_fd
    try:
        if resources.lower is not None:
            request = overlay_request(container, root, resources.folder.path, resources.upperdir)
            with contextlib.suppress(OverlayError):  # the kernel puts nothing on it: as ever then
                return mount_root(request, resources.lower)
        return mount_overlay(container, root, resources.folder, resources.upperdir, fetcher_fd=fd)
    finally:
        if fd >= 0:
            os.close(fd)  # the server's alone from here on


def with_name_files(container: Container, folder: RunFolder) -> Spec:
    """Write the name files and bind them where the spec has no mount of its own.

    A folder of the user's on /etc is left as it is: a mount point would be made in it.
    """
    spec = container.spec
    taken = {mount.destination for mount in spec.mounts}
    binds = []
    for destination, data in container.name_files.items():
        covered = any(
            mount.type == "bind" and destination.startswith(f"{mount.destination}/")
            for mount in spec.mounts
        )
        if destination not in taken and not covered:
            path = folder.write(destination.strip("/").replace("/", "-"), data)
            binds.append(Mount(destination, "bind", str(path), ("bind", "rprivate")))
    return replace(spec, mounts=(*spec.mounts, *binds))


def _watch(
    pidfd: int,
    root: MountedRoot | None,
    forwarder: Forwarder | None,
    resources: Resources,
    channel: Channel,
    *,
    shared: SharedPids | None,
) -> None:
    """Wait for PID 1; tell when a server dies; end everything when the command line does."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(channel.fileno(), select.POLLIN)
    server_fd = -1
    if root is not None:
        server_fd = root.server.pidfd
        poll.register(server_fd, select.POLLIN)
    forwarder_fd = -1
    if forwarder is not None:
        forwarder_fd = forwarder.pidfd
        poll.register(forwarder_fd, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll(None if shared is None else shared.patience_ms())}
        if shared is not None:
            shared.serve()
        if server_fd in ready and root is not None:  # first: the workload may have ended of it
            poll.unregister(server_fd)
            channel.send({"server_died": root.server.last_words()})
        if forwarder_fd in ready and forwarder is not None:
            poll.unregister(forwarder_fd)
            channel.send({"network_died": f"{forwarder.name}: {forwarder.last_words()}"})
        if pidfd in ready:  # perhaps because it was the first to see that the command line is gone
            ready |= {fd for fd, _ in poll.poll(0)}
        if channel.fileno() in ready and channel.receive() is None:
            poll.unregister(channel.fileno())
            _wind_up(pidfd, resources, shared)
        if pidfd in ready:
            return


def _wind_up(pidfd: int, resources: Resources, shared: SharedPids | None) -> None:
    """Put the terminal back that the command line cannot any more, and end the container."""
    if resources.terminal_state is not None:
        restore_if_raw(resources.terminal_state)
    if shared is not None:
        shared.wind_up()
    else:
        with contextlib.suppress(ProcessLookupError):  # it may have ended already
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def take_down(root: MountedRoot | None, resources: Resources, *, is_good: bool) -> None:
    """Take away what a run stood on, as far as it is its own."""
    if root is not None:
        with contextlib.suppress(OSError):  # the server may have died, and its mount with it
            root.unmount()
    if resources.cgroup is not None:
        remove_cgroup(resources.cgroup)
    try:
        if resources.furnishing is not None:
            resources.furnishing.close()
            if is_good and root is not None:
                resources.furnishing.collect(root.upper)
    finally:
        _give_back(resources.upperdir)


def _give_back(upperdir: Upperdir | None) -> None:
    if upperdir is not None:
        if upperdir.ephemeral:
            with contextlib.suppress(OSError):  # else the next command does
                remove_tree(upperdir.path)
        upperdir.close()
