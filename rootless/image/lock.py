"""Locks between processes: flock(2) on one file per object of the store.

A lock file exists only while somebody holds or awaits the lock: who takes it away does so while
holding it, and who gets a lock looks whether the path still names the file that it locked; if not,
it tries again. So a thousand objects leave no thousand files behind, and `kill -9` leaves at most
an empty file that nobody has locked.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rootless.errors import Conflict, StoreError
from rootless.image.store_errors import explain

STORE_LOCK = "store"
"""Held together by who adds to the store, alone by who collects."""

_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
_POLL_S = 0.05


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the object's lock alone; waits for it."""
    fd = _acquire(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):  # the next holder takes the file away
            path.unlink()
        os.close(fd)


@contextmanager
def exclusive_if_free(path: Path) -> Iterator[bool]:
    """Hold the object's lock alone where nobody has it; give whether that is so."""
    fd = -1
    with suppress(BlockingIOError):
        fd = _acquire(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield fd >= 0
    finally:
        if fd >= 0:
            with suppress(OSError):
                path.unlink()
            os.close(fd)


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the object's lock together with others; waits for one who holds it alone."""
    fd = _acquire(path, fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(fd)


@contextmanager
def exclusive_within(path: Path, patience_s: float) -> Iterator[None]:
    """Hold the object's lock alone; raises Conflict after *patience_s* of waiting."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fd = _acquire(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Conflict("in use by another process", str(path)) from None
            time.sleep(_POLL_S)
    try:
        yield
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Lock an open file alone if nobody has it; return whether it worked."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


def _acquire(path: Path, operation: int) -> int:
    """Return a descriptor that holds the lock; the caller owns it."""
    while True:
        with explain(path):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, operation)
            if _still_names(path, fd):
                return fd
        except BlockingIOError:
            os.close(fd)
            raise
        except OSError as error:
            os.close(fd)
            if error.errno in _NO_LOCKS:
                fix = "mount it with locks (Lustre: -o flock) or set ROOTLESS_HOME elsewhere"
                raise StoreError("file system without file locks", str(path), fix) from error
            raise
        except BaseException:  # Ctrl-C while waiting
            os.close(fd)
            raise
        os.close(fd)


def _still_names(path: Path, fd: int) -> bool:
    try:
        named = os.stat(path)
    except FileNotFoundError:
        return False
    held = os.fstat(fd)
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)
