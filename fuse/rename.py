"""rename(2) over an upperdir.

What moves is in the upperdir first (copy-up), and then one rename there does it, with a whiteout
left behind in the same step where the lower tree has the old name. What needs care:

- A directory with anything of the lower tree in it is EXDEV, as with overlayfs without its
  `redirect_dir`: its lower half cannot move. mv(1) and everyone else then copies.
- A directory that moves onto a name which the lower tree has becomes opaque before it moves.
- An empty directory that is replaced may hold whiteouts; it is made opaque, then cleared.
- A directory cannot be renamed onto a whiteout, which is no directory: the two are exchanged.

The kernel has checked kinds, permissions and loops before it asks.
"""

import errno
import os

from . import renameat2
from .copy_up import copy_up
from .hiding import Move
from .node import Link, Node
from .overlay import Overlay
from .place import Place
from .remove import keep_orphan, require_empty

_FLAGS = renameat2.NOREPLACE | renameat2.EXCHANGE


def rename(overlay: Overlay, old: Link, new: Link, flags: int) -> None:
    """Rename, replace, or exchange."""
    if flags & ~_FLAGS:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    node = overlay.require(old)
    target = overlay.find(new)
    if node is target:
        return
    require_movable(node)
    if flags & renameat2.EXCHANGE:
        _exchange(overlay, old, new)
        return
    if target is not None and flags & renameat2.NOREPLACE:
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    if target is not None and target.is_directory:
        require_empty(overlay, target)
    copy_up(overlay, node)
    copy_up(overlay, new.parent)
    if target is not None and target.is_upper:
        _make_way(overlay, target, overlay.place(new))
    _move(overlay, node, old, new)
    node.add_link(new)
    node.drop_link(old)
    if target is not None:
        _note_replaced(overlay, target, new)


def require_movable(node: Node) -> None:
    """Raise OSError EXDEV for a directory that is wholly or in part of the lower tree."""
    if node.is_directory and node.lower is not None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def _exchange(overlay: Overlay, one: Link, other: Link) -> None:
    moves = ((overlay.require(one), one, other), (overlay.require(other), other, one))
    for node, _, _ in moves:
        require_movable(node)
    for node, _, _ in moves:
        copy_up(overlay, node)
    for node, old, new in moves:
        if node.is_directory and overlay.below(new) is not None:
            overlay.upper.hiding.make_opaque(overlay.place(old), overlay.place(new))
    overlay.upper.exchange(overlay.place(one), overlay.place(other))
    for node, old, new in moves:
        node.add_link(new)
        node.drop_link(old)


def _make_way(overlay: Overlay, target: Node, place: Place) -> None:
    """Prepare an object of the upperdir for being replaced."""
    keep_orphan(overlay, target, place)
    if target.is_directory:
        overlay.upper.hiding.make_opaque(place, place)
        overlay.upper.clear(place)
        overlay.upper.leave(target)


def _move(overlay: Overlay, node: Node, old_link: Link, new_link: Link) -> None:
    """Rename in the upperdir, and leave a whiteout where the lower tree has the old name."""
    move = Move(
        old_link.parent,
        overlay.place(old_link),
        overlay.place(new_link),
        is_directory=node.is_directory,
        covers=overlay.below(old_link) is not None,
        hides=node.is_directory and overlay.below(new_link) is not None,
    )
    overlay.upper.hiding.move(move)


def _note_replaced(overlay: Overlay, target: Node, link: Link) -> None:
    if not target.is_upper:
        overlay.hide_link(target)
    overlay.unwritten.forget(target)
    target.drop_link(link)
    overlay.nodes.release(target)
