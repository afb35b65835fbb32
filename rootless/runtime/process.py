"""The workload: from a spec's process to what `workload.become` plays."""

import os
import signal
import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from rootless.errors import InvalidInput, RootlessError
from rootless.linux import capset, prctl
from rootless.linux.channel import Channel
from rootless.oci.runtime_spec import Process
from rootless.runtime import capabilities, rlimits, scheduling, seccomp_listener, security_modules
from rootless.runtime.program import find_program
from rootless.runtime.seccomp import SeccompFilter
from rootless.runtime.workload import become, change_directory, step

if TYPE_CHECKING:
    from rootless.runtime.workload import Program, Step

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

    def tell(record: dict[str, str]) -> None:
        report.send({"error": record})

    def before() -> None:
        scheduling.apply(process)
        # Once no new privileges can be had, a profile may only be narrower than the one before.
        security_modules.enter_profile(process.apparmor_profile)

    def after() -> None:
        if options.parent:  # now: a change of the IDs takes it back
            _die_with(options.parent)

    try:
        program = program_of(process, options)
    except RootlessError as error:
        tell(error.to_record())
        os._exit(error.exit_status)
    become(
        program,
        {"report": report.fileno(), "terminal": options.terminal_fd},
        tell,
        before=before,
        after=after,
        listen=partial(seccomp_listener.hand_out, report),
    )


def program_of(process: Process, options: ProcessOptions) -> "Program":
    """Return what `become` plays, for a process with this one's capabilities and limits.

    Raises InvalidInput.
    """
    seccomp = options.seccomp
    identity, last = _identity(process, options)
    return {
        "attributes": list(rlimits.steps(process.rlimits)),
        "umask": 0o022 if process.user.umask is None else process.user.umask,
        "identity": identity,
        "cwd": process.cwd,
        "args": tuple(process.args),
        "env": tuple(process.env),
        "close_stdin": options.close_stdin,
        "own_session": options.own_session,
        "ignored": options.ignored,
        "passed_fds": options.passed_fds,
        "preserve_fds": options.preserve_fds,
        "filter": None if seccomp is None else (seccomp.program, seccomp.flags),
        "notifies": seccomp is not None and seccomp.notifies,
        "last": last,
    }


def check_program(process: Process) -> None:
    """Raise what would keep the workload's program from being found, while `create` still waits."""
    change_directory(process.cwd)
    find_program(process.args[0], process.env)
    os.chdir("/")


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


def _identity(process: Process, options: ProcessOptions) -> "tuple[list[Step], list[Step]]":
    """Return what sets IDs and capabilities, and what gives up what only the filter needs."""
    steps: list[Step] = []
    last: list[Step] = []
    sets = process.capabilities
    if sets is not None:
        # This needs CAP_SETPCAP, which the IDs' change may take away.
        steps += capabilities.bounding_steps(capabilities.mask_of(sets.bounding))

    # Without no_new_privs a filter needs CAP_SYS_ADMIN: it is kept up to there, and goes next.
    kept = 0 if options.seccomp is None or process.no_new_privileges else _FILTER_NEEDS
    if sets is None and not kept:
        steps += _ids(process, options)
    else:
        steps.append(step("prctl", prctl.PR_SET_KEEPCAPS, 1, 0, 0, 0))
        steps += _ids(process, options)
        sets = sets or capabilities.of_user(process.user.uid)
        changes, last = capabilities.steps(sets, capset.permitted(), kept)
        steps += changes
    if process.no_new_privileges:
        what = "cannot set process.noNewPrivileges"
        steps.append(step("prctl", prctl.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, what=what))
    return steps, last


def _ids(process: Process, options: ProcessOptions) -> "list[Step]":
    user = process.user
    error = {
        "what": "the user of the workload is not mapped in the user namespace",
        "on": f"{user.uid}:{user.gid}",
        "fix": "'rootless doctor' shows which IDs you may map",
    }
    steps = []
    if options.set_groups:
        groups = user.additional_gids
        packed = struct.pack(f"={len(groups)}I", *groups)
        steps.append(step("setgroups", len(groups), packed, **error))
    steps.append(step("setresgid", user.gid, user.gid, user.gid, **error))
    steps.append(step("setresuid", user.uid, user.uid, user.uid, **error))
    return steps


def _die_with(parent: int) -> None:
    prctl.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(RootlessError.exit_status)
