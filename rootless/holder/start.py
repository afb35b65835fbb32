"""Starting a holder: by the first run, beside its workload, so that nobody waits for it.

It is nobody's child, has a session of its own and none of the caller's descriptors: no terminal,
pipe or shell waits for it. It stays in the caller's cgroup, and ends with a batch job.
"""

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

OFF, WAIT = "off", "wait"
VARIABLE = "ROOTLESS_HOLDER"
KEEP_ALIVE = 300
"""Seconds after the last use, unless the settings say otherwise."""

_FRUGAL = ("-P", "-X", "no_debug_ranges")  # no columns in tracebacks: they take memory
_PASSED = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "TEMP", "TMP", "XDG_RUNTIME_DIR")

_wanted: "tuple[str, list[str]] | None" = None


def want(runtime: str, words: list[str]) -> None:
    """Note that a command would have used a holder."""
    global _wanted  # noqa: PLW0603 - one command
    _wanted = runtime, words


def is_wanted() -> bool:
    """Tell whether a holder would be of use."""
    return _wanted is not None


def request(words: list[str]) -> bytes:
    """Return what a holder is asked."""
    umask = os.umask(0o22)
    os.umask(umask)
    asked = {"words": words, "environ": dict(os.environ), "umask": umask, "tty": _terminal()}
    return marshal.dumps(asked)


def _terminal() -> str:
    """Return the name of the caller's terminal, "" where he has none."""
    for fd in (0, 1, 2):
        if os.isatty(fd):
            try:
                return os.ttyname(fd)
            except OSError:  # one of another mount namespace has no name here
                break
    return ""


def offer(keep_alive: int) -> None:
    """Start one if it is wanted and may live; once."""
    global _wanted
    wanted, _wanted = _wanted, None
    if wanted is not None and keep_alive > 0:
        spawn(wanted[0], request(wanted[1]), keep_alive)


def spawn(runtime: str, asked: bytes, keep_alive: int) -> None:
    """Start one that begins with what `asked` needs; raises OSError."""
    fd = os.memfd_create("request")
    os.write(fd, asked)
    os.lseek(fd, 0, os.SEEK_SET)
    cwd = os.open(".", os.O_PATH | os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                _become(runtime, keep_alive, fd, cwd)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(fd)
    os.close(cwd)


def _become(runtime: str, keep_alive: int, asked: int, cwd: int) -> "NoReturn":
    # posix_spawn(3) would leave two of the C library's signals ignored, for all that comes of it.
    os.dup2(asked, 0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.dup2(cwd, 3)
    words = [sys.executable, *_FRUGAL, "-m", "rootless.keeper", runtime, str(keep_alive)]
    os.execve(sys.executable, words, _environment(os.environ))  # noqa: S606 - ours


def _environment(environ: "Mapping[str, str]") -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith("COVERAGE_")
    }
