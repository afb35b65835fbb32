"""All in which our mount may differ from kernel overlayfs, and why. Nothing else may.

docs/conformance.md has the same table; a test compares the two.
"""

import os
import stat
from dataclasses import dataclass

from lockstep import operations as do
from lockstep.side import Side, attempt


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        what: What differs.
        why: The reason.
    """

    what: str
    why: str


DIFFERENCES = (
    Difference("`st_ino`, `st_dev`, `st_blocks`", "numbers of each file system's own"),
    Difference("`st_nlink` and `st_size` of a directory", "POSIX gives them no meaning"),
    Difference(
        "`st_ctime`",
        "a copy-up changes it on the disk, which the kernel does not ask a FUSE server for again",
    ),
    Difference(
        "`st_nlink` of a lower file after a remount counts its removed names",
        "the layers' number; to find the names that are gone would cost a search for each file",
    ),
    Difference("time of access", "looking changes it; compared where it was set"),
    Difference(
        "names of one lower file stay one file when it is changed",
        "as POSIX has it; overlayfs needs its `index` for that, and the host's root for `index`",
    ),
    Difference(
        "`st_nlink` of an open file that is lower and has lost its name to another: 0",
        "as POSIX has it; overlayfs says 1",
    ),
    Difference(
        "a `security.*` that is not there and may not be set: ENODATA, not EPERM",
        "of two errors, the one that is found first",
    ),
    Difference(
        "a name renamed onto another name of the same file: nothing happens",
        "as POSIX has it; overlayfs says ESTALE",
    ),
    Difference(
        "an open lower file that has lost its name to another can be changed",
        "overlayfs says EEXIST",
    ),
    Difference(
        "what was removed while it was open can be changed, and stays removed",
        "overlayfs puts a lower one back under its name: over a disk, and a FIFO anywhere; a "
        "directory over whatever has the name by then",
    ),
    Difference(
        "an open lower directory that was removed can be changed",
        "as POSIX has it; overlayfs has no place for its copy, and says ENOTDIR",
    ),
    Difference(
        "a write through mmap takes set-ID bits and capabilities away",
        "it reaches the disk as a write(2) of the server; overlayfs maps the file itself",
    ),
    Difference(
        "truncate(2) to the size that a file has: a new time of modification",
        "the server uses ftruncate(2), for which tmpfs sets the time",
    ),
    Difference(
        "removal of an ACL that is not there: nothing happens",
        "the mode is one; overlayfs says ENODATA of some objects",
    ),
    Difference(
        "linked names are one object: a FIFO's ends meet, chown clears a set-group-ID bit",
        "as POSIX has it; overlayfs has two inodes for what is lower and was linked",
    ),
    Difference(
        "a merged directory with a `security.capability` that is none can be removed",
        "overlayfs copies its attributes to an empty one first, and says EINVAL",
    ),
    Difference(
        "a user's removal of an ACL leaves the set-group-ID bit alone",
        "as ext4 does; overlayfs takes it away from who is not of the group",
    ),
    Difference("order and position of a directory's entries", "each file system's own"),
)


_OF_ONE_FILE = ("ESTALE", "EINVAL")  # the latter with RENAME_WHITEOUT
_OF_OPEN = (
    *(do.ChangeModeOpen, do.ChangeOwnerOpen, do.ChangeTimesOpen, do.TruncateOpen),
    *(do.SetXattrOpen, do.RemoveXattrOpen),
)
_OF_XATTRS = (
    *(do.SetXattr, do.SetXattrOpen, do.GetXattr),
    *(do.RemoveXattr, do.RemoveXattrOpen),
)


def is_equal(operation: do.Operation, expected: object, found: object) -> bool:
    """Tell whether two outcomes are the same, for all that a program can make of them."""
    if isinstance(operation, do.Rename) and expected in _OF_ONE_FILE and found is None:
        return True
    if isinstance(operation, _OF_XATTRS) and not isinstance(operation, do.GetXattr):
        is_acl = operation.name.startswith("system.posix_acl_")
        if is_acl and (expected, found) == ("ENODATA", None):
            return True
    if isinstance(operation, _OF_XATTRS) and operation.name.startswith("security."):
        return expected == found or (expected, found) == ("EPERM", "ENODATA")
    return expected == found


def is_lost(operation: do.Operation, expected: object, found: object) -> bool:
    """Tell whether the judge cannot open or change it as we can: it must not be used further."""
    if isinstance(operation, do.Open) and (expected, found) == ("ENXIO", None):
        return True
    return isinstance(operation, _OF_OPEN) and expected in {"EEXIST", "ENOTDIR"}


def does_resurrect(operation: do.Operation, side: Side, *, on_disk: bool) -> bool:
    """Tell whether the judge might give a removed object its name back: see DIFFERENCES."""
    if not isinstance(operation, _OF_OPEN) or operation.slot not in side.fds:
        return False
    fd = side.fd(operation.slot)
    status = os.fstat(fd)
    if stat.S_ISDIR(status.st_mode):
        name = os.readlink(f"/proc/self/fd/{fd}").removesuffix(" (deleted)")
        return status.st_nlink == 0 and os.path.lexists(name)
    is_fifo = stat.S_ISFIFO(status.st_mode)
    is_removed = status.st_nlink == 0
    return (is_removed or is_fifo) if on_disk else (is_removed and is_fifo)


def is_left_out(operation: do.Operation, judge: Side) -> bool:
    """Tell whether the judge, which has been entered, would do something else: see DIFFERENCES."""
    return _leaves_set_group_id(operation, judge) or _has_broken_capability(operation, judge)


def _leaves_set_group_id(operation: do.Operation, side: Side) -> bool:
    """Tell whether the judge might leave a set-group-ID bit on a new owner's: see DIFFERENCES."""
    if isinstance(operation, do.ChangeOwnerOpen):
        status = attempt(lambda: os.fstat(side.fd(operation.slot)))
    elif isinstance(operation, do.ChangeOwner):
        follow = operation.follow
        status = attempt(lambda: os.stat(side.at(operation.path)[1], follow_symlinks=follow))
    else:
        return False
    if not isinstance(status, os.stat_result):
        return False
    return (
        not stat.S_ISDIR(status.st_mode)
        and status.st_nlink > 1
        and bool(status.st_mode & stat.S_ISGID)
    )


def _has_broken_capability(operation: do.Operation, side: Side) -> bool:
    """Tell whether the judge might be unable to remove a directory: see DIFFERENCES."""
    if not isinstance(operation, do.RemoveDirectory | do.Rename):
        return False
    name = "security.capability"
    return "EINVAL" in (
        attempt(lambda path=path: os.getxattr(side.at(path)[1], name, follow_symlinks=False))
        for path in operation.paths()
    )
