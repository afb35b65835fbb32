"""From a process that may do anything in its user namespace to the workload's own program.

`become` is read from top to bottom: each step takes away what the next one does not need, and the
order is the kernel's. It plays a `Program`, which `process` makes out of a spec: plain data, that
can be sent to a process which has imported nothing but this module (`holder`). There is no other
place in which a workload gets what it gets.
"""

import _signal  # type: ignore[import-not-found]
import os

from rootless.errors import CannotExecute, CommandNotFound, RootlessError
from rootless.linux.raw import call
from rootless.linux.seccomp import set_filter
from rootless.runtime.program import find_program, refuse_own_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any, NoReturn

    Step = tuple[str, tuple[Any, ...], str, str, str]
    Program = dict[str, Any]

_HIGHEST = 1 << 30
_TIOCSCTTY = 0x540E


def step(function: str, *arguments: "Any", what: str = "", on: str = "", fix: str = "") -> "Step":
    """Return a call of a C function; the error when it fails, "" where that does not matter.

    The arguments are those of `raw.call`.
    """
    return function, arguments, what, on, fix


def become(
    program: "Program",
    fds: "Mapping[str, int]",
    tell: "Callable[[dict[str, str]], object]",
    *,
    before: "Callable[[], object]" = lambda: None,
    after: "Callable[[], object]" = lambda: None,
    listen: "Callable[[int], object]" = lambda _: None,
) -> "NoReturn":
    """Become the workload, or tell why not and exit.

    Args:
        program: What `process.program_of` made.
        fds: What stays open until execve(2) closes it: "report", and "terminal" if there is one.
        tell: Gets the record of an error (`RootlessError.to_record`).
        before: Called before the change of the IDs.
        after: Called after it.
        listen: Gets the listener of a filter that notifies.
    """
    status = RootlessError.exit_status
    try:
        reset_signals(program["ignored"])

        # A session of its own: no terminal of the host is its controlling terminal. Else something
        # could be pushed into the caller's input (TIOCSTI).
        if program["own_session"] and os.getsid(0) != os.getpid():
            os.setsid()
        _set_standard_streams(program, fds)
        play(program["attributes"])
        os.umask(program["umask"])
        before()
        play(program["identity"])
        after()
        change_directory(program["cwd"])
        path = find_program(program["args"][0], program["env"])
        refuse_own_program(path)

        # Nothing of the runner is left open for the workload; the report closes itself by exec.
        _close_all_but(fds["report"], program)

        # As late as can be: the filter is made for the workload, not for what starts it.
        if program["filter"]:
            listener = _set_filter(*program["filter"])
            if program["notifies"]:
                listen(listener)
        play(program["last"])
        _exec(path, program)
    except RootlessError as error:
        status = error.exit_status
        tell(error.to_record())
    except OSError as error:
        what = f"cannot start the workload: {error.strerror}"
        tell(RootlessError(what, str(error.filename)).to_record())
    except BaseException as error:  # noqa: BLE001 - else the end of the report reads as success
        tell(RootlessError(f"internal error: {type(error).__name__}: {error}").to_record())
    finally:
        os._exit(status)


def play(steps: "Iterable[Step]") -> None:
    """Make the calls, in their order; raises RootlessError for one whose failure matters."""
    for function, arguments, what, on, fix in steps:
        try:
            call(function, *arguments)
        except OSError as error:
            if what:
                raise RootlessError(f"{what}: {error.strerror}", on, fix) from error


def reset_signals(ignored: "Collection[int]" = ()) -> None:
    """Undo what the interpreter and PID 1 set: the program starts as from a shell.

    Args:
        ignored: What the caller ignores, and the program is to ignore as well.
    """
    for number in range(1, _signal.NSIG):
        try:
            _signal.signal(number, _signal.SIG_IGN if number in ignored else _signal.SIG_DFL)
        except (OSError, ValueError):
            continue  # the kernel and the C library keep some for themselves
    _signal.set_wakeup_fd(-1)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, [])


def _set_standard_streams(program: "Program", fds: "Mapping[str, int]") -> None:
    terminal = fds.get("terminal", -1)
    if terminal >= 0:
        call("ioctl", terminal, _TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(terminal, fd)
    elif program["close_stdin"]:
        null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(null, 0)


def change_directory(cwd: str) -> None:
    """Enter the working directory; raises RootlessError."""
    try:
        os.chdir(cwd)
    except OSError as error:
        raise RootlessError(
            f"cannot enter the working directory: {error.strerror}", cwd, "name one with --workdir"
        ) from error
    # A directory that the root does not hold reads as "(unreachable)" (CVE-2024-21626).
    if not os.getcwd().startswith("/"):
        raise RootlessError("the working directory lies outside of the root file system", cwd)


def _close_all_but(report: int, program: "Program") -> None:
    """Close every descriptor but those that the workload gets, and the report; exec closes it."""
    passed = {*range(3, 3 + program["preserve_fds"]), *program["passed_fds"]}
    for fd in passed:
        try:
            os.set_inheritable(fd, True)
        except OSError:
            continue  # it was not open
    low = 3
    for fd in sorted({*passed, report}):
        os.closerange(low, fd)
        low = max(low, fd + 1)
    os.closerange(low, _HIGHEST)


def _set_filter(program: bytes, flags: int) -> int:
    try:
        return set_filter(program, flags)
    except OSError as error:
        raise RootlessError(f"cannot set the seccomp filter: {error.strerror}") from error


def _exec(path: str, program: "Program") -> "NoReturn":
    environment = dict(variable.split("=", 1) for variable in program["env"])
    try:
        os.execve(path, program["args"], environment)  # noqa: S606 - the purpose of it all
    except FileNotFoundError as error:
        raise CommandNotFound(
            "cannot execute: its interpreter is not in the image", path
        ) from error
    except OSError as error:
        fix = ""
        if error.strerror == "Exec format error":
            fix = "it is built for another architecture, or a script without a #! line"
        raise CannotExecute(f"cannot execute: {error.strerror}", path, fix) from error
