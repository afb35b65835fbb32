"""The console scripts.

Kept free of imports: what a command needs is imported when the command is known.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def main() -> int:
    """Run the command line in `sys.argv`; return the exit status."""
    _open_missing_streams()
    try:
        if not {"run", "build"}.isdisjoint(sys.argv[1:3]):
            sys.unraisablehook = _end_if_interrupted
            _run_warm(sys.argv[1:])
        if sys.argv[1:2] == ["__complete"]:  # of a shell, at each press of Tab
            from rootless.cli.complete import main as complete  # noqa: PLC0415

            return complete(sys.argv[2:])
        from rootless.cli.straight import straight  # noqa: PLC0415 - only what is needed is imported

        call = straight(sys.argv[1:])
        if call is not None:
            from rootless.cli.exit import status_of  # noqa: PLC0415

            status = status_of(call, debug=False)
        else:
            from rootless.cli.app import run  # noqa: PLC0415

            status = run(sys.argv[1:])
        if "rootless.timings" in sys.modules:
            sys.modules["rootless.timings"].report()
        return status
    except KeyboardInterrupt:  # before or after what turns it into a status
        return 130


def _end_if_interrupted(unraisable: "sys.UnraisableHookArgs") -> None:
    """End by a Ctrl-C that would be forgotten: that during a callback of an import's, or of gc."""
    if unraisable.exc_type is KeyboardInterrupt:
        os._exit(130)  # as after kill -9, the next command sweeps
    sys.__unraisablehook__(unraisable)


def _run_warm(words: list[str]) -> None:
    """Run a container by way of a holder, and end; return where there is none to be had."""
    from rootless.holder.client import run  # noqa: PLC0415 - as above

    try:
        status = run(words)
    except Exception as error:
        if type(error).__module__ != "rootless.errors":
            raise
        status = _status_of(error)
    if status is not None:
        if "rootless.timings" in sys.modules:
            sys.modules["rootless.timings"].report()
        if status < 0:
            from rootless.runtime.signals import end_by  # noqa: PLC0415 - few end so

            end_by(-status)
        os._exit(status)  # nothing is left to be done, and an interpreter's end takes its time


def _status_of(error: Exception) -> int:
    from rootless.cli.exit import status_of  # noqa: PLC0415

    def fail() -> None:
        raise error

    return status_of(fail, debug=False)


def runtime() -> int:
    """Run the OCI runtime's command line; return the exit status."""
    _open_missing_streams()
    try:
        from rootless.runtime.command_line import main as run  # noqa: PLC0415 - as above

        return run(sys.argv[1:], write_spec=_write_spec)
    except KeyboardInterrupt:
        return 130


def _write_spec(folder: "Path", rootless: bool) -> None:  # noqa: FBT001 - a verb's callback
    from rootless.bundle.template import write_template  # noqa: PLC0415 - for one verb

    write_template(folder, rootless)


def _open_missing_streams() -> None:
    """Open /dev/null for standard streams that the caller closed.

    Else the next files opened, the store's among them, would get their numbers, and the workload
    would write into them.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
