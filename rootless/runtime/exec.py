"""`exec`: run another process in a running container (runc's verb; not of the specification).

The caller forks a process that joins the container's namespaces and forks once more, since a PID
namespace is joined by children only. From the first join on that process is one among the
container's: it cannot be traced or read through /proc by them (CVE-2016-9962), it imports nothing,
and it has no descriptor of the caller's but those asked for.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rootless.errors import Conflict, InvalidInput, RootlessError
from rootless.linux import prctl
from rootless.linux.channel import Channel
from rootless.oci.linux_spec import LinuxSpec
from rootless.oci.runtime_spec import Process
from rootless.oci.state import Status
from rootless.runtime import gate, terminal
from rootless.runtime.cgroups import open_cgroup
from rootless.runtime.create import write_pid_file
from rootless.runtime.imports import forbid_imports
from rootless.runtime.join import join, open_namespaces
from rootless.runtime.process import ProcessOptions, check_preserved, exec_workload
from rootless.runtime.seccomp_filter import filter_of
from rootless.runtime.seccomp_listener import tell_agent
from rootless.runtime.signals import Forwarding
from rootless.runtime.status_file import StateFolder
from rootless.runtime.user_namespace import allows_setgroups
from rootless.userns.create import Child, fork_into


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """What `exec` is asked for, with runc's names.

    Attributes:
        detach: Do not wait for the process; it becomes the child of the caller's parent.
        pid_file: Where its process ID is written; "" for nowhere.
        console_socket: Socket that takes the terminal; "" for none.
        preserve_fds: How many descriptors from 3 on it gets.
    """

    process: Process
    detach: bool = False
    pid_file: str = ""
    console_socket: str = ""
    preserve_fds: int = 0


def execute(root: Path, container_id: str, request: ExecRequest) -> int:
    """Run the process in the container; return its exit status, 0 where it is detached."""
    check_preserved(request.preserve_fds)
    with StateFolder.open(root, container_id) as folder:
        record = folder.record()
        state = folder.state(record)
        linux = folder.spec().linux
    if state.status is not Status.RUNNING:
        raise Conflict(f"cannot execute in a container that is {state.status}", container_id)
    if request.process.terminal and not request.console_socket:
        raise InvalidInput(
            "a terminal is asked for and nobody takes its other side",
            fix="name a --console-socket",
        )
    with contextlib.ExitStack() as stack:
        console = None
        if request.console_socket:
            console = terminal.ConsoleSocket(request.console_socket)
            stack.callback(console.close)
        forwarding = None if request.detach else stack.enter_context(Forwarding())
        place = Place(record.pid, record.started, linux, record.cgroup, state.to_document())
        running = start_inside(place, request.process, request.preserve_fds)
        stack.callback(running.close)
        if forwarding is not None:
            forwarding.to(running.pidfd)
        if console is not None and running.master_fd >= 0:
            console.send(running.master_fd)
        if request.pid_file:
            write_pid_file(Path(request.pid_file), running.pid)
        return running.leave() if request.detach else running.wait()


@dataclass(slots=True)
class Running:
    """A process in a container, as the caller has it.

    Attributes:
        pid: Its process ID as the caller sees it.
        pidfd: The same for good.
        master_fd: The other side of its terminal, -1 without.
    """

    pid: int
    pidfd: int
    master_fd: int
    _parent: Child

    def wait(self) -> int:
        """Wait for its end; return its status, 128+N for signal N."""
        self._parent.channel.send({"wait": True})
        code = self._parent.wait()
        return code if code >= 0 else 128 - code

    def leave(self) -> int:
        """Leave it to itself: who reaps the caller's orphans reaps it."""
        self._parent.channel.send({"wait": False})
        return self._parent.wait()

    def close(self) -> None:
        """Close the descriptors."""
        os.close(self.pidfd)
        if self.master_fd >= 0:
            os.close(self.master_fd)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process is to run.

    Attributes:
        pid: A process of the container, whose namespaces are joined.
        started: When that process started (`linux.pidfd.start_time`).
        linux: What the container's spec says of the system; its seccomp filter is set.
        cgroup: The container's cgroup; "" for none.
        state: The container's state, for a seccomp agent.
    """

    pid: int
    started: int
    linux: LinuxSpec = field(default_factory=LinuxSpec)
    cgroup: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)


def start_inside(place: Place, process: Process, preserve_fds: int = 0) -> Running:
    """Start a process in a container.

    Returns once its program runs; raises what kept it from that.
    """
    pid = place.pid
    # By the host's /proc: in the container's this process would not be found.
    set_groups = allows_setgroups(pid)
    seccomp = filter_of(place.linux)
    options = ProcessOptions(set_groups, preserve_fds=preserve_fds, seccomp=seccomp)
    report, theirs = Channel.pair()
    with contextlib.closing(report), open_namespaces(pid, place.started) as found:

        def body(channel: Channel) -> int:
            report.close()
            if place.cgroup:
                open_cgroup(place.cgroup).add(os.getpid())
            return _inside(found, process, options, channel, theirs)

        def on_listener(listener: int) -> None:
            assert place.linux.seccomp is not None  # noqa: S101 - a filter of it made the listener
            tell_agent(listener, pid, place.linux.seccomp, place.state)

        with contextlib.closing(theirs):
            parent = fork_into(None, body)
        try:
            message, _ = _receive(parent.channel)
            pid = message["pid"]
            pidfd = os.pidfd_open(pid)
            parent.channel.send({"known": True})
            master_fd = gate.follow(report, on_listener)
        except BaseException:
            parent.kill()
            raise
    return Running(pid, pidfd, master_fd, parent)


def _receive(channel: Channel) -> tuple[dict[str, int], list[int]]:
    received = channel.receive()
    if received is None:
        raise RootlessError("the process that joins the container ended unexpectedly")
    if "error" in received[0]:
        raise RootlessError.from_record(received[0]["error"])
    return received


def _inside(
    found: list[tuple[int, int]],
    process: Process,
    options: ProcessOptions,
    channel: Channel,
    report: Channel,
) -> int:
    """Join, fork the process and wait for it where that is asked for; return its status."""
    prctl.set_dumpable(False)
    join(found)
    forbid_imports()
    pid = os.fork()
    if pid == 0:
        _start(process, options, report)
    report.close()
    channel.send({"pid": pid})
    channel.receive()  # the caller has a hold of it, or is gone
    received = channel.receive()
    if received is None or not received[0]["wait"]:
        return 0
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _start(process: Process, options: ProcessOptions, report: Channel) -> None:
    """Make the terminal and become the process."""
    try:
        if process.terminal:
            root_fd = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            pair = terminal.open_pair(root_fd, process)
            report.send({"console": True}, [pair.master])
            options = replace(options, terminal_fd=pair.terminal)
    except OSError as error:
        failure = RootlessError(f"cannot make a terminal: {error.strerror}", "/dev/pts")
        report.send({"error": failure.to_record()})
        os._exit(RootlessError.exit_status)
    exec_workload(process, options, report)
