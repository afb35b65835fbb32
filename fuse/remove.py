"""Removal: a whiteout where the lower tree has the name, a plain removal elsewhere.

A file that loses its last name lives on for those who have it open: see `node`.
"""

import errno
import os

from .copy_up import copy_up, open_orphan
from .node import Link, Node
from .overlay import Overlay
from .place import Place


def unlink(overlay: Overlay, link: Link) -> None:
    """Remove a name of anything but a directory."""
    node = overlay.require(link)
    if node.is_upper or not overlay.unwritten.hide(link):
        _unlink_in_upper(overlay, node, link)
    if not node.is_upper:
        overlay.hide_link(node)
    node.drop_link(link)
    overlay.nodes.release(node)


def _unlink_in_upper(overlay: Overlay, node: Node, link: Link) -> None:
    covers = not node.is_upper or overlay.below(link) is not None
    if covers:
        copy_up(overlay, link.parent)
    if node.is_upper:
        keep_orphan(overlay, node, overlay.place(link))
    place = overlay.place(link)
    if covers:
        overlay.upper.hiding.make_whiteout(link.parent, place, is_free=not node.is_upper)
    else:
        os.unlink(place.name, dir_fd=place.fd)


def rmdir(overlay: Overlay, link: Link) -> None:
    """Remove a directory that shows nothing."""
    node = overlay.require(link)
    require_empty(overlay, node)
    if node.is_upper or not overlay.unwritten.hide(link):
        _rmdir_in_upper(overlay, node, link)
    overlay.unwritten.forget(node)
    node.drop_link(link)
    overlay.nodes.release(node)


def _rmdir_in_upper(overlay: Overlay, node: Node, link: Link) -> None:
    covers = overlay.below(link) is not None
    if covers:
        copy_up(overlay, link.parent)
    if node.is_upper:
        place = overlay.place(link)
        keep_orphan(overlay, node, place)
        if not covers:
            overlay.upper.clear(place)  # whiteouts, with nothing below that they could hide
    overlay.upper.leave(node)
    if covers or not node.is_upper:
        place = overlay.place(link)
        overlay.upper.hiding.make_whiteout(link.parent, place, is_free=not node.is_upper)
    else:
        os.rmdir(link.name, dir_fd=overlay.upper.directory(link.parent))


def require_empty(overlay: Overlay, node: Node) -> None:
    """Raise OSError ENOTDIR or ENOTEMPTY for what is no empty directory."""
    if not node.is_directory:
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not overlay.is_empty(node):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))


def keep_orphan(overlay: Overlay, node: Node, place: Place) -> None:
    """Open an object whose last known name is about to go, for those who still use it."""
    if len(node.links) > 1 or node.orphan_fd >= 0:
        return
    stored = overlay.upper.status(place)
    if stored is None:
        return
    node.orphan_fd = open_orphan(place, stored.st_mode)
