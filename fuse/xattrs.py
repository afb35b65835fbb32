"""Extended attributes: which names the mount shows, and under which an upperdir keeps them.

The upperdir's own notes are attributes of the files themselves (`user.overlay.*`, the kernel's
`userxattr` form). A program inside must neither see nor forge them, and an overlay inside an
overlay needs attributes of the same names: as overlayfs does since Linux 6.7, such a name is kept
with the prefix doubled, `user.overlay.overlay.*`.
"""

import errno
import os

from .ownership import OVERRIDE_STAT

USER = b"user."
PREFIX = b"user.overlay."
OPAQUE = PREFIX + b"opaque"
WHITEOUT = PREFIX + b"whiteout"
DEFAULT_ACL = b"system.posix_acl_default"
ACLS = (b"system.posix_acl_access", DEFAULT_ACL)

_ESCAPED = PREFIX + b"overlay."
_TRUSTED = b"trusted."
_KINDS = (USER, b"security.", b"system.", _TRUSTED)


def require_settable(name: bytes) -> None:
    """Raise OSError EPERM for the note of an owner: whoever wrote it could give a file to root."""
    if is_owner_note(name):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def is_owner_note(name: bytes) -> bool:
    """Return whether an attribute is the upperdir's note of an owner, which nobody inside sees."""
    return name == OVERRIDE_STAT


def require_known(name: bytes) -> None:
    """Raise OSError EOPNOTSUPP for a name of no kind that Linux has, as its file systems do."""
    if not name.startswith(_KINDS):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


def stored_name(name: bytes) -> bytes:
    """Return the name under which an attribute set inside is kept."""
    return _ESCAPED + name[len(PREFIX) :] if name.startswith(PREFIX) else name


def shown_name(stored: bytes) -> bytes | None:
    """Return the name that is shown for a kept attribute; None for the overlay's own."""
    if stored.startswith(_ESCAPED):
        return PREFIX + stored[len(_ESCAPED) :]
    own = stored.startswith(PREFIX) or stored == OVERRIDE_STAT
    return None if own else stored


def is_storable(name: bytes) -> bool:
    """Return whether an image's attribute can be given to a copy.

    Not trusted.*, which needs the host's root: nobody inside can read those either, so nothing is
    lost. And not the note of an owner, which is the upperdir's own.
    """
    return not name.startswith(_TRUSTED) and not is_owner_note(name)
