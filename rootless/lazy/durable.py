"""What of a lazy layer has reached the disk, for the time after a power loss.

Marks are set as soon as the data is written, long before either is on the disk, in whatever order
that comes: after a power loss a mark may stand for data that never arrived. So a copy of the marks
is kept, taken before the data was brought to the disk with fdatasync(2), and `boot` names the boot
in which the marks were set. In another one they are put back to the copy before anybody reads them.
Checking the digests of all that is marked would do as well, and cost a read of the whole layer
before the first file; so does fsync(2) before each mark, for each file.

Only of a store on a local disk: there are several boots at once elsewhere, and so no lazy layers.
"""

import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rootless.lazy.present import Marks

PRESENT, GAPS = "present", "gaps"
DATA, BLOB = "data", "blob"
_BOOT, _KEPT = "boot", "kept"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def settle(folder: Path) -> None:
    """Take away the marks of an earlier boot that nothing vouches for; raises OSError."""
    now = _BOOT_ID.read_bytes()
    boot = folder / _BOOT
    with suppress(FileNotFoundError):
        if boot.read_bytes() == now:
            return
    fd = os.open(boot, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.pread(fd, len(now), 0) == now:
            return  # another has done it meanwhile
        with Marks(folder / PRESENT) as present, Marks(folder / GAPS) as gaps:
            _put_back(folder, (present, gaps))
        os.ftruncate(fd, 0)
        os.pwrite(fd, now, 0)
    finally:
        os.close(fd)


def keep(folder: Path, files: Sequence[int], marks: Sequence[Marks]) -> None:
    """Bring what is marked by now to the disk, and note that it is there; raises OSError.

    Args:
        folder: The layer's; the caller is the only one who does this.
        files: Descriptors of what the marks stand for.
        marks: The marks, in the order that `settle` takes them in.
    """
    copy = b"".join(mark.snapshot() for mark in marks)
    for fd in files:
        os.fdatasync(fd)
    temp = folder / ".tmp-kept"
    with open(temp, "wb") as file:
        file.write(copy)
        file.flush()
        os.fsync(file.fileno())
    temp.rename(folder / _KEPT)


def mark_new(folder: Path) -> None:
    """Note that a layer under construction is of this boot; its marks are on the disk."""
    (folder / _BOOT).write_bytes(_BOOT_ID.read_bytes())


def _put_back(folder: Path, marks: Sequence[Marks]) -> None:
    copy = b""
    with suppress(FileNotFoundError):
        copy = (folder / _KEPT).read_bytes()
    if len(copy) != sum(map(len, marks)):
        copy = bytes(sum(map(len, marks)))  # nothing was kept, or half of it
    for mark in marks:
        mark.restore(copy[: len(mark)])
        copy = copy[len(mark) :]
