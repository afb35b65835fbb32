"""Starting a holder: by the first run, beside its workload, so that nobody waits for it.

It is nobody's child, has a session of its own and none of the caller's descriptors: no terminal,
pipe or shell waits for it. It stays in the caller's cgroup, and ends with a batch job.

Its folder is made and locked before the fork: of many that start at once, one starts a holder, and
the others see by the lock that it comes. The lock is the holder's from then on, and ends with it.
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


def want(folder: str, words: list[str]) -> None:
    """Note that a command would have used the holder of a folder."""
    global _wanted  # noqa: PLW0603 - one command
    _wanted = folder, words


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


def spawn(folder: str, asked: bytes, keep_alive: int) -> None:
    """Start one that begins with what `asked` needs, unless one is there.

    Raises OSError, and StoreError where the folder may be somebody else's.
    """
    from pathlib import Path  # noqa: PLC0415 - a client needs none of it

    from rootless.linux.folder_lock import lock_dead, make_locked  # noqa: PLC0415
    from rootless.linux.private_folder import make_private  # noqa: PLC0415
    from rootless.linux.remove_tree import remove_tree  # noqa: PLC0415

    path = Path(folder)
    make_private(path.parent.parent)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    dead = lock_dead(path)
    if dead is not None:
        remove_tree(path)
        os.close(dead)
    try:
        lock = make_locked(path)
    except FileExistsError:
        return  # another one is there, or starts
    try:
        _fork(folder, asked, keep_alive, lock)
    finally:
        os.close(lock)


def _fork(folder: str, asked: bytes, keep_alive: int, lock: int) -> None:
    fd = os.memfd_create("request")
    os.write(fd, asked)
    os.lseek(fd, 0, os.SEEK_SET)
    cwd = os.open(".", os.O_PATH | os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                _become(folder, keep_alive, fd, (cwd, lock))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(fd)
    os.close(cwd)


def _become(folder: str, keep_alive: int, asked: int, kept: tuple[int, int]) -> "NoReturn":
    # posix_spawn(3) would leave two of the C library's signals ignored, for all that comes of it.
    os.dup2(asked, 0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    for fd in kept:
        os.set_inheritable(fd, True)
    runtime = folder.rsplit("/", 2)[0]
    numbers = map(str, (keep_alive, *kept))
    words = [sys.executable, *_FRUGAL, "-m", "rootless.keeper", runtime, *numbers]
    os.execve(sys.executable, words, _environment(os.environ))  # noqa: S606 - ours


def _environment(environ: "Mapping[str, str]") -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith("COVERAGE_")
    }
