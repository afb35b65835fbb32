"""The container's first process, from the new namespaces to the workload.

`_become_container` is the security-sensitive path and reads from top to bottom in the order in
which it happens. It is run by a process that is root of its own user namespace and has the whole
root file system mounted; whatever fails is sent to the runner as one error, and the process ends:
every mount and namespace made here goes with it.
"""

import contextlib
import json
import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from rootless import timings
from rootless.errors import InvalidInput, OverlayError, RootlessError
from rootless.linux import capset, mount_api, prctl, process_words
from rootless.linux.channel import Channel
from rootless.linux.pivot_root import change_root, pivot_root
from rootless.oci.runtime_spec import Spec
from rootless.runtime import (
    cgroup,
    devices,
    gate,
    init,
    mounts,
    namespaces,
    preconditions,
    restrictions,
    rootfs,
    seccomp_listener,
    terminal,
    visitor,
)
from rootless.runtime.descendants import Descendants
from rootless.runtime.hooks import run_hooks
from rootless.runtime.imports import forbid_imports
from rootless.runtime.mount_mates import MountMates
from rootless.runtime.process import ProcessOptions, check_program, exec_workload, program_of
from rootless.runtime.seccomp import SeccompFilter


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What the runner knows beside the spec.

    Attributes:
        rootfs: Absolute path of the mounted root file system.
        set_groups: The ID map allows setgroups(2).
        close_stdin: The workload reads /dev/null.
        devices: Host device nodes to pass, (source, destination) each.
        host_devices: All of the host's that the caller may use are passed.
        gate: Where the workload waits to be started; it then is the container's first process
            itself. None: it is started at once, as a child of ours that looks after it.
        outside: Somebody comes in and becomes the workload, in the place of a child; the namespaces
            in which he is (`visitor.namespaces_here`). None: a child becomes it.
        preserve_fds: How many descriptors from 3 on the workload gets.
        cgroup_fd: `cgroup.procs` of the container's cgroup, open for writing; -1 for none.
        seccomp: The spec's `linux.seccomp`, compiled.
        passed_fds: Descriptors that the workload gets by their numbers, beside those.
        own_session: The workload leads a session of its own; else it stays in the caller's, in his
            process group, and has its signals from there.
        ignored: Signals that the workload starts with ignored.
    """

    rootfs: str
    set_groups: bool
    close_stdin: bool
    devices: tuple[tuple[str, str], ...] = ()
    host_devices: bool = False
    gate: socket.socket | None = None
    outside: Mapping[str, int] | None = None
    preserve_fds: int = 0
    cgroup_fd: int = -1
    seccomp: SeccompFilter | None = None
    passed_fds: tuple[int, ...] = ()
    own_session: bool = True
    ignored: tuple[int, ...] = ()

    @property
    def has_visitor(self) -> bool:
        """Tell whether somebody comes in."""
        return self.outside is not None


def start(spec: Spec, options: SandboxOptions, control: Channel) -> int:
    """Fork the container's first process and return its process ID, as this process sees it.

    This process must not fork again afterwards: its later children would be born into the PID
    namespace of the container. Who looks after a workload is PID 1, whose end is the clean-up,
    unless a PID namespace of others is joined.
    """
    preconditions.check(spec)
    if options.gate is None and namespaces.joins_mounts(spec.linux):
        raise InvalidInput(
            "a mount namespace cannot be joined: the image is mounted in another one",
            "linux.namespaces: mount",
            "leave its path out",
        )
    if spec.linux.seccomp is not None and options.seccomp is None:
        raise RootlessError("internal error: a filter that is asked for was not compiled")
    namespaces.before_fork(spec, own_pids=options.gate is None)
    pid = os.fork()
    if pid == 0:
        _first_process(spec, options, control)
    return pid


def _first_process(spec: Spec, options: SandboxOptions, control: Channel) -> NoReturn:
    status = RootlessError.exit_status
    try:
        if options.gate is None:
            prctl.set_parent_death_signal(signal.SIGKILL)
        # Before the cgroup namespace is made: its root is where this process stands then.
        cgroup.join(options.cgroup_fd)
        status = _become_container(spec, options, control)
    except RootlessError as error:
        control.send({"error": error.to_record()})
        status = error.exit_status
    except OSError as error:
        on = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        failure = OverlayError(f"cannot set up the container: {error.strerror}", on)
        control.send({"error": failure.to_record()})
    except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's code
        what = f"internal error: {type(error).__name__}: {error}"
        control.send({"error": RootlessError(what).to_record()})
    finally:
        os._exit(status)


def _become_container(spec: Spec, options: SandboxOptions, control: Channel) -> int:
    # Signals are collected from here on, so that none is lost between here and the workload.
    is_job = not (options.own_session or options.has_visitor)  # this process, as the workload is
    signals = init.SignalPipe(in_group=is_job) if options.gate is None else None

    # Only the standard streams and the channel: no descriptor of the runner may reach further.
    _close_others(control, options, signals)
    if not is_job:
        os.setsid()
    prctl.set_name("rootless-init")
    process_words.hide()  # /proc/1 is the container's to read

    # By the host's /proc, and while this process may still write to its own files there.
    _set_oom_score(spec.process.oom_score_adj)

    # Not to be traced or read through /proc by the workload, which has this process's user ID;
    # the program file behind it is the host's interpreter (CVE-2019-5736).
    prctl.set_dumpable(False)

    namespaces.enter(spec)
    own = [] if options.outside is None else visitor.open_namespaces(options.outside)
    root_fd = _open_root(spec, options.rootfs)
    _populate(root_fd, spec, options)
    timings.mark("mounts made")
    pair = _open_terminal(root_fd, spec) if spec.process.terminal else None
    if not options.has_visitor:
        _give_terminal(root_fd, pair, control, is_job=is_job)
    if options.gate is not None:
        _run_create_hooks(spec, control)

    # From here on the host's files can no longer be named: a module that is imported now would be
    # the image's (CVE-2019-14271), so what is needed has been imported, and nothing more can be.
    forbid_imports()
    change_root(root_fd) if namespaces.joins_mounts(spec.linux) else pivot_root(root_fd)
    os.close(root_fd)

    restrictions.apply(spec)  # with the container's own /proc in place

    process_options = _process_options(options, -1 if pair is None else pair.terminal)
    if signals is None:
        _become_workload(spec, options, process_options, control)
    # Among the processes of others this one is not PID 1, and its end would end nobody.
    kin = _kin(options) if os.getpid() != 1 else None
    if isinstance(kin, Descendants):
        process_options = replace(process_options, parent=os.getpid())
    door = visitor.Door(own, pair)
    workload, pidfd = _have_workload(spec, options, process_options, control, door)

    if isinstance(kin, MountMates):
        kin.begin(pidfd)
    _keep_no_more_than_needed(looks=isinstance(kin, MountMates))
    return init.supervise(workload, control, signals, kin, pidfd, in_group=not options.own_session)


def _kin(options: SandboxOptions) -> Descendants | MountMates:
    return MountMates() if options.has_visitor else Descendants()


def _have_workload(
    spec: Spec,
    options: SandboxOptions,
    process_options: ProcessOptions,
    control: Channel,
    door: visitor.Door,
) -> tuple[int, int]:
    """Start the workload, or let it in; return its process ID and, where it came in, its pidfd."""
    if not options.has_visitor:
        workload = _start_workload(spec, process_options, control)
        _announce(workload, control)
        return workload, -1
    program = program_of(spec.process, process_options)
    workload, pidfd = visitor.let_in(door, program, control)
    control.send({"running": True}, [pidfd])
    return workload, pidfd


def _process_options(options: SandboxOptions, terminal_fd: int) -> ProcessOptions:
    return ProcessOptions(
        options.set_groups,
        terminal_fd,
        options.close_stdin,
        options.preserve_fds,
        options.seccomp,
        own_session=options.own_session,
        ignored=options.ignored,
        passed_fds=options.passed_fds,
    )


def _keep_no_more_than_needed(*, looks: bool) -> None:
    """Keep the right to signal whoever the workload becomes; give up the standard streams.

    Who `looks` for the container's processes among others keeps the right to see theirs.
    """
    kept = 1 << capset.NUMBERS["CAP_KILL"]
    if looks:
        kept |= 1 << capset.NUMBERS["CAP_SYS_PTRACE"]
    capset.capset(kept, kept, 0)
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for fd in (0, 1, 2):
        os.dup2(null, fd)


def _announce(workload: int, control: Channel) -> None:
    """Tell the runner that the workload runs, in a form that means it in any PID namespace."""
    pidfd = os.pidfd_open(workload)
    control.send({"running": True}, [pidfd], process=workload)
    os.close(pidfd)


def _set_oom_score(score: int | None) -> None:
    if score is None:
        return
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
            file.write(str(score))
    except OSError as error:
        raise OverlayError(
            f"cannot set process.oomScoreAdj: {error.strerror}",
            str(score),
            "without root it can only be raised",
        ) from error


def _close_others(
    control: Channel, options: SandboxOptions, signals: init.SignalPipe | None
) -> None:
    keep = {0, 1, 2, control.fileno(), max(timings.fileno(), 0)}
    if not options.has_visitor:  # whose they are
        keep.update(options.passed_fds)
    keep.update(range(3, 3 + options.preserve_fds))
    if signals is not None:
        keep.update(signals.fds())
    if options.gate is not None:
        keep.add(options.gate.fileno())
    low = 3
    for fd in sorted(keep):
        if fd > low:
            os.closerange(low, fd)
        low = max(low, fd + 1)
    os.closerange(low, 1 << 30)


def _open_root(spec: Spec, path: str) -> int:
    """Make the root a mount; what is mounted from here on stays in this namespace.

    pivot_root(2) wants a mount point, which a bundle's plain folder is not.
    """
    private = mount_api.MS_REC | mount_api.MS_SLAVE
    joined = namespaces.joins_mounts(spec.linux)
    if not joined:
        mount_api.mount(None, "/", None, private)
    mount_api.mount(path, path, None, mount_api.MS_BIND | mount_api.MS_REC)
    if joined:  # how the others' mounts travel is theirs to say
        mount_api.mount(None, path, None, private)
    return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _populate(root_fd: int, spec: Spec, options: SandboxOptions) -> None:
    """Make the mounts, the devices and the working directory below the root."""
    for mount in spec.mounts:
        mounts.apply_mount(root_fd, mount)
    devices.populate_dev(root_fd, spec.linux.devices)
    if options.host_devices:
        devices.bind_usable(root_fd, spec.mounts)
    for source, destination in options.devices:
        devices.bind_device(root_fd, source, destination)
    user = spec.process.user
    rootfs.make_directory(root_fd, spec.process.cwd, user.uid, user.gid)


def _open_terminal(root_fd: int, spec: Spec) -> terminal.Pair:
    """Make a terminal in the container's own devpts."""
    pair = terminal.open_pair(root_fd, spec.process)
    devices.bind_console(root_fd, pair.terminal)
    return pair


def _give_terminal(
    root_fd: int, pair: terminal.Pair | None, control: Channel, *, is_job: bool
) -> None:
    """Send the master of the container's terminal to the runner, or show the caller's own."""
    if pair is not None:
        control.send({"console": True}, [pair.master])
        # The size is set before the workload can ask for it.
        control.receive()
        os.close(pair.master)
    elif is_job:
        _show_callers_terminal(root_fd)


def _show_callers_terminal(root_fd: int) -> None:
    """Have ttyname(3) find the caller's terminal as /dev/console: its own path is not there."""
    fd = next((fd for fd in (0, 1, 2) if os.isatty(fd)), -1)
    if fd >= 0:
        with contextlib.suppress(OSError):  # one of another mount namespace has no name here
            devices.bind_device(root_fd, os.ttyname(fd), "/dev/console")


def _run_create_hooks(spec: Spec, control: Channel) -> None:
    """Have the runtime run its hooks, then run the container's own."""
    control.send({"environment": True})
    run_hooks(spec.hooks.create_container, _await_state(control))


def _await_state(control: Channel) -> bytes:
    """Return the state for hooks in the container, to whom its process is what it is in there."""
    received = control.receive()
    if received is None:  # the runtime is gone, and the container with it
        os._exit(RootlessError.exit_status)
    return json.dumps({**json.loads(received[0]["state"]), "pid": os.getpid()}).encode()


def _become_workload(
    spec: Spec,
    options: SandboxOptions,
    process_options: ProcessOptions,
    control: Channel,
) -> NoReturn:
    """Wait at the gate, and then be the workload: no process of ours stays."""
    assert options.gate is not None  # noqa: S101 - asked by the caller
    check_program(spec.process)
    wake_fd = gate.expect_signals()
    control.send({"ready": True})
    # Without this answer nobody knows of this process, and it must not stay.
    state = _await_state(control)
    control.close()
    report = gate.wait(options.gate, wake_fd)
    try:
        run_hooks(spec.hooks.start_container, state)
    except RootlessError as error:
        report.send({"error": error.to_record()})
        os._exit(error.exit_status)
    exec_workload(spec.process, process_options, report)


def _start_workload(spec: Spec, process_options: ProcessOptions, control: Channel) -> int:
    """Fork the workload and wait until its program runs; its failure is raised here."""
    # From here on signals are the workload's: those that come before it runs wait in the channel.
    control.send({"started": True})
    ours, theirs = Channel.pair()
    pid = os.fork()
    if pid == 0:
        exec_workload(spec.process, process_options, theirs)
    theirs.close()
    received = ours.receive()  # the end of the stream: exec closed it
    if received is not None and seccomp_listener.MESSAGE in received[0]:
        seccomp_listener.pass_on(pid, received, ours, control)
        received = ours.receive()
    ours.close()
    # The terminal stays open here: a workload that closes it and opens it again (/dev/tty) must
    # not look, to who reads the other side, as if it had ended.
    if received is not None:
        raise RootlessError.from_record(received[0]["error"])
    return pid
