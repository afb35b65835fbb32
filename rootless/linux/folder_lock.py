"""A folder that its owner locks, flock(2) on itself, so that others can tell whether he lives.

Who takes a dead owner's folder away does so while holding its lock, and who gets the lock of a new
folder looks whether the path still names it. So a folder between mkdir(2) and flock(2) may be taken
away, and then is made again; it is never taken from under an owner that has begun to use it.
"""

import contextlib
import fcntl
import os
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make_locked(path: Path) -> int:
    """Make a folder of mode 0700 and return a locked descriptor of it; raises OSError."""
    while True:
        path.mkdir(mode=0o700)
        fd = _locked(path, fcntl.LOCK_EX)
        if fd is not None:
            return fd


def make_or_lock(path: Path, *, alone: bool, wait: bool) -> int:
    """Return a locked descriptor of a folder that stays, made with mode 0700 where it is new.

    Raises BlockingIOError where others have it and nobody is to wait, OSError.
    """
    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    while True:
        os.makedirs(path, mode=0o700, exist_ok=True)
        fd = _locked(path, how if wait else how | fcntl.LOCK_NB)
        if fd is not None:
            return fd


def lock_dead(path: str | Path) -> int | None:
    """Return a locked descriptor of a folder whose owner is gone; None where he lives."""
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def is_locked(path: str | Path) -> bool:
    """Tell whether a folder's owner lives; in nobody's way who asks the same."""
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _locked(path: Path, how: int) -> int | None:
    """Return a locked descriptor of a folder; None where it was taken for a dead one's at once."""
    with contextlib.suppress(FileNotFoundError):
        fd = os.open(path, _FLAGS)
        try:
            fcntl.flock(fd, how)
            if _names(path, fd):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
    return None


def _names(path: Path, fd: int) -> bool:
    try:
        named = os.lstat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(fd))
