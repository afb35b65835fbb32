"""From an exception to one line on stderr and an exit status.

Statuses as env(1), podman and shells have them: 125 our fault or the set-up's, 126 cannot execute,
127 not found, 128+N ended by signal N, else the workload's own.
"""

import errno
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from rootless.errors import InvalidInput, RootlessError, StoreError

if TYPE_CHECKING:  # what has not imported typer gets no error of it
    import typer

SETUP_FAILED = 125

_FIXES = {
    errno.EMFILE: "a limit on open files: ulimit -n 1024",
    errno.EAGAIN: "a limit on processes: look at ulimit -u",
    errno.ENOSPC: "make room, or name another folder with ROOTLESS_SCRATCH or ROOTLESS_HOME",
    errno.EDQUOT: "make room, or name another folder with ROOTLESS_SCRATCH or ROOTLESS_HOME",
}


def status_of(call: Callable[[], object], *, debug: bool) -> int:
    """Call; return the status that it returns or that the exception it raised stands for."""
    try:
        result = call()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        return _end_unread()
    except SystemExit as end:  # how typer ends after a broken pipe, and after completion
        if isinstance(end.__context__, BrokenPipeError):
            return _end_unread()
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:  # noqa: BLE001 - the one border where every error becomes a line
        if debug:
            import traceback  # noqa: PLC0415 - for one who looks for a fault

            traceback.print_exc()
        if isinstance(error, OSError) and not error.filename and _output_fails():
            error = StoreError(f"cannot write: {error.strerror}", "standard output")
        return _report(error)
    return result if isinstance(result, int) else 0


def _end_unread() -> int:
    """The reader of our output has gone: end as a program without a handler would, quietly."""
    # keeps the interpreter from flushing into the closed pipe again
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _output_fails() -> bool:
    """Tell whether standard output takes nothing (a full disk); what waits for it is dropped."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _report(error: Exception) -> int:
    if isinstance(error, RootlessError):
        print_line(str(error))
        return error.exit_status
    typer = sys.modules.get("typer")
    if isinstance(error.__cause__, KeyboardInterrupt) or (typer and isinstance(error, typer.Abort)):
        return 128 + signal.SIGINT  # an import makes another error of it: object.__set_name__
    if typer is not None:
        if isinstance(error, typer.Exit):
            return int(error.exit_code)
        if isinstance(error, typer.TyperException):
            # typer's own status 2 for bad usage would be read as the workload's
            print_line(str(_explain_usage(error)))
            return SETUP_FAILED
    if isinstance(error, OSError):
        print_line(str(explain_os_error(error)))
        return SETUP_FAILED
    print_line(
        f"internal error: {type(error).__name__}: {error} (run with --debug before the "
        "command for a traceback, and please report it)"
    )
    return SETUP_FAILED


def _explain_usage(error: "typer.TyperException") -> RootlessError:
    """Return the parser's error in the words and the form of ours."""
    near = getattr(error, "possibilities", None)
    context = getattr(error, "ctx", None)
    text = (error.message if near else error.format_message()).rstrip(".")
    meant = f"did you mean {' or '.join(sorted(near))}? " if near else ""
    see = f"see '{context.command_path} --help'" if context is not None else ""
    return InvalidInput(text[:1].lower() + text[1:], "", (meant + see).rstrip())


def explain_os_error(error: OSError) -> RootlessError:
    """Return the error of ours for an OSError that no layer below translated."""
    on = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return StoreError(error.strerror or str(error), on, _FIXES.get(error.errno or 0, ""))


def print_line(text: str) -> None:
    """Print one line to stderr, the program's name in front."""
    _write(f"rootless: {printable(text)}\n")


def printable(text: str) -> str:
    """Return a text with its control characters shown: names of others' may hold escapes."""
    return "".join(
        c if c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in text
    )


def _write(line: str) -> None:
    try:
        sys.stderr.write(line.encode("utf-8", "backslashreplace").decode())
        sys.stderr.flush()
    except OSError:
        return  # nobody listens; the status still tells
