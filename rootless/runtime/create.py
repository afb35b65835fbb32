"""`create`: from a bundle to a container that waits at its gate (runtime.md, "Create").

Three processes: the caller; one that enters the user namespace, forks and ends; and the container's
own, which thereby belongs to the caller's parent or its subreaper, as conmon expects it. The
container's process reports over a channel, step by step; it stays only once its record is kept.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rootless.errors import InvalidInput, NotFound, RootlessError
from rootless.linux.channel import Channel, Message
from rootless.linux.pidfd import kill_and_wait, wait_end
from rootless.oci.runtime_spec import Spec, parse_spec
from rootless.oci.state import State, Status
from rootless.runtime import cgroups, gate, namespaces, sandbox
from rootless.runtime.cgroup import Cgroup
from rootless.runtime.hooks import run_hooks, try_hooks
from rootless.runtime.mount_options import with_absolute_sources
from rootless.runtime.process import check_preserved
from rootless.runtime.seccomp_filter import filter_of
from rootless.runtime.status_file import StateFolder
from rootless.runtime.terminal import ConsoleSocket
from rootless.runtime.user_namespace import allows_setgroups, maps_for
from rootless.userns.create import fork_into
from rootless.userns.maps import Maps

_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """What `create` is asked for, with runc's names.

    Attributes:
        root: The folder of all state folders.
        bundle: The bundle; config.json is read from it.
        pid_file: Where the process ID is written; "" for nowhere.
        console_socket: Socket that takes the terminal; "" for none.
        preserve_fds: How many descriptors from 3 on the container gets.
        cgroup: Make a cgroup where one is to be had.
        systemd_cgroup: linux.cgroupsPath names a scope of systemd.
    """

    root: Path
    id: str
    bundle: Path
    pid_file: str = ""
    console_socket: str = ""
    preserve_fds: int = 0
    cgroup: bool = True
    systemd_cgroup: bool = False


def create(request: CreateRequest) -> None:
    """Create the container; raises what kept it from being created, with nothing left of it."""
    bundle = request.bundle.absolute()
    text = _read_config(bundle)
    spec = parse_spec(text, str(bundle / "config.json"))
    spec = with_absolute_sources(spec, bundle)
    spec = replace(spec, root_path=str(_rootfs(bundle, spec)))
    _check(spec, request)
    maps = maps_for(spec)
    with contextlib.ExitStack() as stack:
        console = None
        if request.console_socket:
            console = ConsoleSocket(request.console_socket)
            stack.callback(console.close)
        with StateFolder.make(request.root, request.id, bundle, text) as folder:
            try:
                _Creation(request, spec, folder, console).run(maps)
            except BaseException:
                folder.remove()
                raise


def _read_config(bundle: Path) -> bytes:
    try:
        return (bundle / "config.json").read_bytes()
    except FileNotFoundError:
        raise NotFound("not a bundle: it has no config.json", str(bundle)) from None
    except OSError as error:
        raise InvalidInput(f"cannot read: {error.strerror}", str(error.filename)) from error


def _rootfs(bundle: Path, spec: Spec) -> Path:
    rootfs = (bundle / spec.root_path).resolve()
    if not rootfs.is_dir():
        raise NotFound("the bundle's root.path is not a folder", str(rootfs))
    if not any(os.scandir(rootfs)):
        raise InvalidInput(
            "the bundle's root file system is empty",
            str(rootfs),
            "'rootless run --bundle' runs a bundle whose files are in an image of the store",
        )
    return rootfs


def _check(spec: Spec, request: CreateRequest) -> None:
    if spec.process.terminal and not request.console_socket:
        raise InvalidInput(
            "process.terminal asks for a terminal and nobody takes its other side",
            fix="name a --console-socket",
        )
    if request.console_socket and not spec.process.terminal:
        raise InvalidInput(
            "a console socket is of no use without process.terminal", request.console_socket
        )
    check_preserved(request.preserve_fds)


class _Creation:
    """One creation, from the fork to the record."""

    def __init__(
        self,
        request: CreateRequest,
        spec: Spec,
        folder: StateFolder,
        console: ConsoleSocket | None,
    ) -> None:
        self._request = request
        self._spec = spec
        self._folder = folder
        self._console = console
        self._cgroup: Cgroup | None = None
        # runtime.md: past step 2, in which the namespaces are made, a container is "created"; its
        # hooks are steps 3 to 5.
        self._state = State(request.id, Status.CREATED, 0, folder.record().bundle, spec.annotations)

    def run(self, maps: Maps | None) -> None:
        """Create; whatever fails ends the container's process and runs the poststop hooks."""
        self._cgroup = self._make_cgroup()
        try:
            self._create(maps)
        except BaseException:
            if self._cgroup is not None:
                self._cgroup.kill()
                self._cgroup.remove()
            raise
        finally:
            if self._cgroup is not None:
                self._cgroup.close()

    def _make_cgroup(self) -> Cgroup | None:
        if not self._request.cgroup:
            return None
        return cgroups.prepare(
            self._spec.linux,
            self._request.id,
            systemd=self._request.systemd_cgroup,
            strict=cgroups.strict_wanted(self._spec.annotations),
        )

    def _create(self, maps: Maps | None) -> None:
        ours, theirs = Channel.pair()
        with contextlib.closing(ours):
            listener = gate.listen(self._folder.fd)
            options = sandbox.SandboxOptions(
                rootfs=self._spec.root_path,
                set_groups=maps is not None and maps.allows_setgroups,
                close_stdin=False,
                gate=listener,
                preserve_fds=self._request.preserve_fds,
                cgroup_fd=-1 if self._cgroup is None else self._cgroup.procs_fd(),
                seccomp=filter_of(self._spec.linux),
            )
            with contextlib.closing(listener), contextlib.closing(theirs):
                pid, pidfd = self._fork(maps, options, theirs)
            try:
                self._state = replace(self._state, pid=pid)
                self._serve(ours, pidfd)
            except BaseException:
                kill_and_wait(pidfd, _PATIENCE_S)
                stopped = replace(self._state, status=Status.STOPPED, pid=0)
                try_hooks(self._spec.hooks.poststop, stopped.to_json().encode())
                raise
            finally:
                os.close(pidfd)

    def _fork(
        self, maps: Maps | None, options: sandbox.SandboxOptions, control: Channel
    ) -> tuple[int, int]:
        """Return the process ID and a pidfd of the container's process."""
        inside = self._spec

        def before() -> None:
            nonlocal inside
            inside = namespaces.join_outer(self._spec)

        def body(channel: Channel) -> int:
            # Who made a namespace that is joined, or the caller's own, is not asked.
            found = options if maps is not None else replace(options, set_groups=allows_setgroups())
            channel.send({"pid": sandbox.start(inside, found, control)})
            channel.receive()  # while its parent is here its ID is not given to another
            return 0

        child = fork_into(maps, body, before=before)
        try:
            received = child.channel.receive()
            if received is None:
                raise RootlessError("the process that makes the container ended unexpectedly")
            if "error" in received[0]:
                raise RootlessError.from_record(received[0]["error"])
            pid = int(received[0]["pid"])
            return pid, os.pidfd_open(pid)
        finally:
            child.channel.shut_down()
            child.wait()

    def _serve(self, control: Channel, pidfd: int) -> None:
        for message, fds in _messages(control):
            if "console" in message:
                self._pass_terminal(fds[0])
                control.send({"console": True})
            elif "environment" in message:
                hooks = self._spec.hooks
                state = self._state.to_json().encode()
                run_hooks((*hooks.prestart, *hooks.create_runtime), state)
                control.send({"state": self._state.to_json()})
            elif "ready" in message:
                self._keep(pidfd)
                control.send({"state": self._state.to_json()})
                return

    def _pass_terminal(self, master_fd: int) -> None:
        assert self._console is not None  # noqa: S101 - `_check` asks for it
        try:
            self._console.send(master_fd)
        finally:
            os.close(master_fd)

    def _keep(self, pidfd: int) -> None:
        path = "" if self._cgroup is None else str(self._cgroup.path)
        self._folder.set_process(self._state.pid, self._spec.annotations, cgroup=path)
        if wait_end(pidfd, 0):  # the time that was kept may be another's
            raise RootlessError("the container's process ended while it was created")
        if self._request.pid_file:
            write_pid_file(Path(self._request.pid_file), self._state.pid)


def _messages(control: Channel) -> Iterator[tuple[Message, list[int]]]:
    """Yield what the container's process tells; raises what it failed on, or its end."""
    while True:
        received = control.receive()
        if received is None:
            raise RootlessError("the container's process ended unexpectedly while it was created")
        if "error" in received[0]:
            raise RootlessError.from_record(received[0]["error"])
        yield received


def write_pid_file(path: Path, pid: int) -> None:
    """Write a process ID, whole or not at all: who waits for the file reads it at once."""
    temp = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temp.write_text(str(pid), encoding="ascii")
        temp.rename(path)
    except OSError as error:
        temp.unlink(missing_ok=True)
        raise InvalidInput(f"cannot write the PID file: {error.strerror}", str(path)) from error
