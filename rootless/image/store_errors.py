"""From an OSError of the kernel to a StoreError that names the path and the way out."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from rootless.errors import StoreError

_CAUSES = {
    errno.ENOSPC: ("no space left for the store", "free some, or set ROOTLESS_HOME elsewhere"),
    errno.EDQUOT: ("disk quota exceeded", "free some, or set ROOTLESS_HOME elsewhere"),
    errno.EROFS: ("the store is read-only", "set ROOTLESS_HOME to a folder that can be written"),
    errno.EACCES: ("no permission", "set ROOTLESS_HOME to a folder of your own"),
    errno.EPERM: ("not permitted", "set ROOTLESS_HOME to a folder of your own"),
    errno.EFBIG: ("file too large for the file system or for `ulimit -f`", ""),
    errno.EMFILE: ("too many open files", "a limit on open files: ulimit -n 1024"),
    errno.EIO: ("input/output error", "the disk or the network behind it is failing"),
}


def store_error(error: OSError, path: str | os.PathLike[str]) -> StoreError:
    """Return what the user reads for *error*, which happened at *path* unless it says where."""
    # of a rename the target: nobody knows the name of a temporary file
    named = error.filename2 or error.filename
    where = named if isinstance(named, str) else os.fspath(path)
    text = error.strerror or str(error)
    what, fix = _CAUSES.get(error.errno or 0, (text[:1].lower() + text[1:], ""))
    return StoreError(what, where, fix)


@contextmanager
def explain(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an OSError out of the block into its StoreError."""
    try:
        yield
    except OSError as error:
        raise store_error(error, path) from error
