"""Extended attributes: which names the mount shows, and under which an upperdir keeps them.

The upperdir's own notes are attributes of the files themselves (`user.overlay.*`, the kernel's
`userxattr` form). A program inside must neither see nor forge them, and an overlay inside an
overlay needs attributes of the same names: as overlayfs does since Linux 6.7, such a name is kept
with the prefix doubled, `user.overlay.overlay.*`.
"""

from .ownership import OVERRIDE_STAT

PREFIX = b"user.overlay."
OPAQUE = PREFIX + b"opaque"
WHITEOUT = PREFIX + b"whiteout"

_ESCAPED = PREFIX + b"overlay."
_TRUSTED = b"trusted."


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
    """Return whether an image's attribute can be given to a copy: trusted.* needs the host's root.

    Nobody inside can read those either, so nothing is lost.
    """
    return not name.startswith(_TRUSTED)
