"""Removals that nobody has to find on the disk: names of the lower tree hidden in memory.

An upperdir that goes with the mount (`ServerConfig.is_ephemeral`) is read by nobody but its server.
A name that the tree has and that is removed needs no whiteout there, and its directory need not be
copied up for it. Who removes a directory with all that is in it then leaves nothing on the disk
that has to be removed in turn.

The names are the directory's node's, which is kept as long as it has any. A directory that is in
the upperdir gets whiteouts as ever.
"""

import time

from .node import Link, Node

NAMES_MAX = 100_000
"""So many names are hidden in memory, in some ten megabytes; more get whiteouts."""


class Unwritten:
    """What is hidden so.

    Args:
        room: How many names may be; none where somebody is going to read the upperdir.
    """

    def __init__(self, room: int = 0) -> None:
        self._room = room

    def hide(self, link: Link) -> bool:
        """Hide a name of the lower tree; False where a whiteout has to be made."""
        parent = link.parent
        if self._room <= 0 or parent.is_upper or parent.is_removed:
            return False
        hidden = parent.hidden
        if hidden is None:
            hidden = _begin(parent)
            for directory, _ in parent.links:
                _begin(directory)  # its packed listing would tell of this one as it was
        hidden.add(link.name)
        parent.changed_ns = time.time_ns()
        self._room -= 1
        return True

    def forget(self, directory: Node) -> None:
        """Give back the room that a removed directory's names took."""
        if directory.hidden is not None:
            self._room += len(directory.hidden)
            directory.hidden = None


def _begin(directory: Node) -> set[bytes]:
    """Let a directory be one that is no longer as the tree has it."""
    if directory.hidden is None:
        directory.hidden = set()
        directory.is_pinned = True
    return directory.hidden
