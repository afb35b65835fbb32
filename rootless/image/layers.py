"""The index of one layer, as `fuse` writes it, and an upperdir, as `fuse` leaves it behind.

With `trees` the only door to that package.
"""

from fuse.contents import TarContents
from fuse.entry import Inode
from fuse.index import IndexBuilder as LayerIndexBuilder
from fuse.ownership import Squash
from fuse.tar_reader import TarFormatError
from fuse.tree import Tree
from fuse.upper_walk import Changed, Hidden, Untouched, UpperFormError, UpperWalk

__all__ = [
    "Changed",
    "Hidden",
    "Inode",
    "LayerIndexBuilder",
    "Squash",
    "TarContents",
    "TarFormatError",
    "Tree",
    "Untouched",
    "UpperFormError",
    "UpperWalk",
]
