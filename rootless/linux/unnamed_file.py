"""Files that have no name while they are written: O_TMPFILE of open(2), linkat(2).

Not even `kill -9` leaves a part of one.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

_NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)


def open_unnamed(folder: Path, mode: int) -> int:
    """Open a new file without a name; the caller owns the descriptor.

    Args:
        folder: The folder in which it will get one.
        mode: Less the umask.

    Returns:
        The descriptor; -1 where the file system has no such files.
    """
    try:
        return os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno not in _NO_TMPFILE or not folder.is_dir():
            raise
        return -1


def give_name(fd: int, path: Path, beside: Path) -> None:
    """Give an unnamed file its name; where that is taken, *beside* until a rename(2)."""
    source = f"/proc/self/fd/{fd}"
    # with a descriptor of a folder, here unused, it is linkat(2), which alone follows the link
    with suppress(FileExistsError):
        os.link(source, path, src_dir_fd=fd, follow_symlinks=True)
        return
    os.link(source, beside, src_dir_fd=fd, follow_symlinks=True)
    try:
        os.rename(beside, path)
    except OSError:
        os.unlink(beside)
        raise
