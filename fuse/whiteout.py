"""How a layer says that an object of the layers below it is gone.

Source: OCI image specification, layer.md, "Whiteouts". An empty file `.wh.NAME` hides NAME, and
`.wh..wh..opq` hides everything that the lower layers have in its directory. Other names that begin
with `.wh..wh.` are bookkeeping of aufs (`.wh..wh.plnk`, `.wh..wh.aufs`, `.wh..wh.orph`).
"""

from typing import NamedTuple

MARK = b".wh."
"""A path without these bytes in it is an ordinary one."""

DOT_FORM_NOTE = b".wh..wh.rootless"
"""File in the root of an upperdir that has whiteouts as names (`dot_form`); layers ignore it."""

OPAQUE = b".wh..wh..opq"
"""File that makes its directory hide what the lower layers have in it."""

_PREFIX = b".wh."
_META_PREFIX = b".wh..wh."


class Whiteout(NamedTuple):
    """One whiteout of a layer.

    Attributes:
        path: What is hidden; for an opaque one, the directory whose contents are.
        is_opaque: Whether it is the contents of a directory.
    """

    path: bytes
    is_opaque: bool


def is_ignored(path: bytes) -> bool:
    """Return whether an entry is aufs's bookkeeping, or lies below it."""
    return any(part.startswith(_META_PREFIX) and part != OPAQUE for part in path.split(b"/"))


def parse(path: bytes) -> Whiteout | None:
    """Return what an entry of this path hides, or None where it is an ordinary entry.

    Raises:
        ValueError: The path names nothing that can be hidden, or lies below a whiteout.
    """
    parent, _, name = path.rpartition(b"/")
    if any(part.startswith(_PREFIX) for part in parent.split(b"/")):
        raise ValueError("an entry below a whiteout")
    if name == OPAQUE:
        return Whiteout(parent, is_opaque=True)
    if not name.startswith(_PREFIX):
        return None
    hidden = name[len(_PREFIX) :]
    if hidden in {b"", b".", b".."}:
        raise ValueError("a whiteout of nothing")
    return Whiteout(parent + b"/" + hidden if parent else hidden, is_opaque=False)
