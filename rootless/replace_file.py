"""A small file of a user's, written whole in the place of the one that is there: rename(2)."""

import contextlib
import os
import tempfile
from pathlib import Path


def replace_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file; whoever reads it meets the old contents or the new, after a crash as well.

    Args:
        path: Its name. A link is replaced, not what it leads to.
        data: All of it.
        mode: Its permissions, whatever the umask; nobody else's from the first.

    Raises:
        OSError: It could not be; nothing is left of the attempt.
    """
    fd, temporary = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with open(fd, "wb") as file:
            file.write(data)
            os.fchmod(fd, mode)
            file.flush()
            os.fsync(fd)
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
