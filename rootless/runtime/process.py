"""The workload: from a forked child of PID 1 to its own program.

`exec_workload` is read from top to bottom: each step takes away what the next one does not need,
and the order is the kernel's.
"""

import contextlib
import fcntl
import os
import signal
import termios
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from rootless.errors import CannotExecute, CommandNotFound, InvalidInput, RootlessError
from rootless.linux import capset, prctl
from rootless.linux import seccomp as kernel_seccomp
from rootless.linux.channel import Channel
from rootless.oci.runtime_spec import Process
from rootless.runtime import capabilities, rlimits, scheduling, seccomp_listener, security_modules
from rootless.runtime.program import find_program, refuse_own_program
from rootless.runtime.seccomp import SeccompFilter
from rootless.runtime.signals import reset_signals

_FILTER_NEEDS = 1 << capset.NUMBERS["CAP_SYS_ADMIN"]


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """What config.json has no words for.

    Attributes:
        set_groups: The ID map allows setgroups(2); without it the caller's groups stay.
        terminal_fd: The container's terminal, -1 for the caller's own descriptors.
        close_stdin: The workload reads /dev/null.
        preserve_fds: How many descriptors from 3 on stay open for it.
        seccomp: `linux.seccomp`, compiled; None for no filter.
        parent: The process ID of the caller, whom the workload must not outlive; 0 for one whose
            end ends it anyway.
        passed_fds: Descriptors that stay open for it, beside those.
        own_session: It leads a session of its own.
        ignored: Signals that it starts with ignored.
    """

    set_groups: bool
    terminal_fd: int = -1
    close_stdin: bool = False
    preserve_fds: int = 0
    seccomp: SeccompFilter | None = None
    parent: int = 0
    passed_fds: tuple[int, ...] = ()
    own_session: bool = True
    ignored: tuple[int, ...] = ()


def exec_workload(process: Process, options: ProcessOptions, report: Channel) -> NoReturn:
    """Become the workload, or send `{"error": …}` on `report` and exit."""
    status = RootlessError.exit_status
    try:
        reset_signals(options.ignored)

        if options.own_session:
            _lead_session()
        _set_standard_streams(options)
        _set_attributes(process)

        # Once no new privileges can be had, a profile may only be narrower than the one before.
        security_modules.enter_profile(process.apparmor_profile)

        give_up = _become_user(process, options)
        if options.parent:  # now: a change of the IDs takes it back
            _die_with(options.parent)

        _change_directory(process.cwd)
        program = find_program(process.args[0], process.env)
        refuse_own_program(program)

        # Nothing of the runner is left open for the workload; the report closes itself by exec.
        _close_all_but(report.fileno(), options)

        # As late as can be: the filter is made for the workload, not for what starts it.
        _set_seccomp_filter(options.seccomp, report)
        give_up()
        _exec(program, process)
    except RootlessError as error:
        status = error.exit_status
        report.send({"error": error.to_record()})
    except OSError as error:
        failure = RootlessError(f"cannot start the workload: {error.strerror}", str(error.filename))
        report.send({"error": failure.to_record()})
    except BaseException as error:  # noqa: BLE001 - else the end of the report reads as success
        what = f"internal error: {type(error).__name__}: {error}"
        report.send({"error": RootlessError(what).to_record()})
    finally:
        os._exit(status)


def check_program(process: Process) -> None:
    """Raise what would keep the workload's program from being found, while `create` still waits."""
    _change_directory(process.cwd)
    find_program(process.args[0], process.env)
    os.chdir("/")


def _lead_session() -> None:
    """Have a session of its own: no terminal of the host is its controlling terminal.

    Else something could be pushed into the caller's input (TIOCSTI).
    """
    if os.getsid(0) != os.getpid():
        os.setsid()


def _set_attributes(process: Process) -> None:
    rlimits.apply(process.rlimits)
    scheduling.apply(process)
    os.umask(0o022 if process.user.umask is None else process.user.umask)


def check_preserved(count: int) -> None:
    """Raise InvalidInput where not all of the caller's descriptors from 3 on are open.

    Before this process opens any itself: one of its own would be passed in the place of it.
    """
    for fd in range(3, 3 + count):
        try:
            os.fstat(fd)
        except OSError:
            raise InvalidInput(
                "--preserve-fds counts a descriptor that is not open", str(fd)
            ) from None


def _set_standard_streams(options: ProcessOptions) -> None:
    if options.terminal_fd >= 0:
        fcntl.ioctl(options.terminal_fd, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(options.terminal_fd, fd)
    elif options.close_stdin:
        null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(null, 0)


def _set_seccomp_filter(seccomp: SeccompFilter | None, report: Channel) -> None:
    if seccomp is None:
        return
    try:
        listener = kernel_seccomp.set_filter(seccomp.program, seccomp.flags)
    except OSError as error:
        raise RootlessError(f"cannot set the seccomp filter: {error.strerror}") from error
    if seccomp.notifies:
        seccomp_listener.hand_out(report, listener)


def _become_user(process: Process, options: ProcessOptions) -> Callable[[], None]:
    """Set the IDs and capabilities; return what gives up what only the filter needs."""
    sets = process.capabilities
    if sets is not None:
        # This needs CAP_SETPCAP, which the IDs' change may take away.
        capabilities.limit_bounding_set(capabilities.mask_of(sets.bounding))

    # Without no_new_privs a filter needs CAP_SYS_ADMIN: it is kept up to there, and goes next.
    kept = 0 if options.seccomp is None or process.no_new_privileges else _FILTER_NEEDS
    final = None
    if sets is None and not kept:
        _set_ids(process, options)
    else:
        prctl.set_keep_capabilities()
        _set_ids(process, options)
        sets = sets or capabilities.of_user(process.user.uid)
        final = capabilities.apply(sets, capset.permitted(), kept)
    if process.no_new_privileges:
        prctl.set_no_new_privileges()
    return partial(capset.capset, *final) if final and kept else lambda: None


def _set_ids(process: Process, options: ProcessOptions) -> None:
    user = process.user
    try:
        if options.set_groups:
            os.setgroups(user.additional_gids)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:
        raise RootlessError(
            "the user of the workload is not mapped in the user namespace",
            f"{user.uid}:{user.gid}",
            "'rootless doctor' shows which IDs you may map",
        ) from error


def _die_with(parent: int) -> None:
    prctl.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(RootlessError.exit_status)


def _change_directory(cwd: str) -> None:
    try:
        os.chdir(cwd)
    except OSError as error:
        raise RootlessError(
            f"cannot enter the working directory: {error.strerror}", cwd, "name one with --workdir"
        ) from error
    # A directory that the root does not hold reads as "(unreachable)" (CVE-2024-21626).
    if not os.getcwd().startswith("/"):
        raise RootlessError("the working directory lies outside of the root file system", cwd)


def _close_all_but(report: int, options: ProcessOptions) -> None:
    """Close every descriptor but those that the workload gets, and the report; exec closes it."""
    passed = {*range(3, 3 + options.preserve_fds), *options.passed_fds}
    for fd in passed:
        with contextlib.suppress(OSError):
            os.set_inheritable(fd, True)
    low = 3
    for fd in sorted({*passed, report}):
        os.closerange(low, fd)
        low = max(low, fd + 1)
    os.closerange(low, 1 << 30)


def _exec(program: str, process: Process) -> NoReturn:
    environment = dict(variable.split("=", 1) for variable in process.env)
    try:
        os.execve(program, process.args, environment)  # noqa: S606 - the purpose of it all
    except FileNotFoundError as error:
        raise CommandNotFound(
            "cannot execute: its interpreter is not in the image", program
        ) from error
    except OSError as error:
        fix = ""
        if error.strerror == "Exec format error":
            fix = "it is built for another architecture, or a script without a #! line"
        raise CannotExecute(f"cannot execute: {error.strerror}", program, fix) from error
