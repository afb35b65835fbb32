"""The server of a run that begins, started before the run knows what it mounts (`fuse.spare`).

There is one a process: whoever forks takes it along, and the first mount takes it. Or there is one
that stays, for who mounts again and again. Imports little,
as it comes before the imports of all else, which take as long as the server's own.
"""

import contextlib
import os

from fuse.spare import Spare, Stem

_STOP_TIMEOUT = 5.0

_spare: Spare | None = None
_is_put_off = False


def environment() -> dict[str, str]:
    """Return what a server gets of the environment."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR") or name.startswith("COVERAGE_")
    }


def prepare() -> None:
    """Start one; without, a server is started when it is wanted."""
    global _spare  # noqa: PLW0603 - from the first line of a command to its fork
    with contextlib.suppress(OSError):
        _spare = Spare(environment())


def put_off() -> None:
    """Start none ahead: what it would serve may be mounted already (`warm`)."""
    global _is_put_off  # noqa: PLW0603 - as above
    _is_put_off = True


def is_put_off() -> bool:
    """Tell whether none is started ahead."""
    return _is_put_off


def prepare_for_many(*, ahead: bool = True) -> None:
    """Start one that stays, unless there is one; without `discard` it ends with the process.

    With `ahead` it is not known yet that it has something to serve.
    """
    global _spare  # noqa: PLW0603 - as above
    if _spare is None and not (ahead and _is_put_off):
        with contextlib.suppress(OSError):
            _spare = Stem(environment())


def ask(fd: int) -> None:
    """Have the process at the other end of a socket fork the servers from now on (`stem`)."""
    global _spare  # noqa: PLW0603 - as above
    _spare = Stem.at(fd)


def take() -> Spare | None:
    """Return it, for the one mount that gets it; None where there is none, or no more."""
    global _spare
    if isinstance(_spare, Stem):
        return _spare
    taken, _spare = _spare, None
    return taken


def forget() -> None:
    """Have none any more, in a process that goes on by itself: its servers are programs again."""
    global _spare
    taken, _spare = _spare, None
    if taken is not None:
        taken.close()


def discard() -> None:
    """End and reap it, whoever took it: called by the process that prepared it, at its end."""
    global _spare
    taken, _spare = _spare, None
    if taken is None:
        return
    if taken.pidfd < 0:  # another process started it, and others use it
        taken.close()
        return
    import select  # noqa: PLC0415
    import signal  # noqa: PLC0415

    pidfd, taken.pidfd = taken.pidfd, -1
    taken.close()  # one that waits ends
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)  # as does one that still starts, or serves
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(_STOP_TIMEOUT * 1000):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    os.close(pidfd)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(taken.pid, 0)
