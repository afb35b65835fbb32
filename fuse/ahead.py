"""What is done for a tree's readers before they ask: listings for walks, contents for reads.

See `walk_ahead` and `prefetch`, of which this is both. The handlers only note what they see; the
work is done in the gaps between requests (`pump`).
"""

from typing import Any

from .contents import TarContents
from .prefetch import Prefetch, Push
from .readdir import ListingCache
from .walk_ahead import WalkAhead


class Ahead:
    """Follows the listings and opens of one tree.

    Args:
        listings: The tree's directories.
        contents: Its layers' tars.
        push: Gives contents to the kernel; FileNotFoundError where it does not know the file.
        inodes: How many numbers the tree has.
    """

    def __init__(
        self, listings: ListingCache[Any], contents: TarContents, push: Push, inodes: int
    ) -> None:
        prefetch = Prefetch(listings, contents, push, inodes)
        walk_ahead = WalkAhead(listings)
        self.listed = walk_ahead.listed
        self.opened = prefetch.opened
        self._make_listing = walk_ahead.step
        self._push_files = prefetch.step

    def work(self) -> bool:
        """Do a slice of what will be asked for next; return whether there was anything."""
        return self._make_listing() or self._push_files()
