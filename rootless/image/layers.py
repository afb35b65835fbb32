"""The index of one layer, as `fuse` writes it, and an upperdir, as `fuse` leaves it behind.

With `trees` the only door to that package.
"""

from fuse.chunk_table import GZIP, RAW, ZSTD, ChunkTable, ChunkTableWriter
from fuse.contents import TarContents
from fuse.entry import HARD_LINK, HAS_XATTRS, SPARSE, Entry, Extent, Inode
from fuse.index import IndexBuilder as LayerIndexBuilder
from fuse.index import IndexReader as LayerIndexReader
from fuse.index import IndexWriter as LayerIndexWriter
from fuse.ownership import Squash
from fuse.pax import XATTR_PREFIX, parse_xattrs
from fuse.tar_header import checked_id, checked_target, clean_path
from fuse.tar_reader import TarFormatError, TarReader
from fuse.tree import Tree
from fuse.upper_walk import Changed, Hidden, Untouched, UpperFormError, UpperWalk
from fuse.whiteout import parse as parse_whiteout

__all__ = [
    "GZIP",
    "HARD_LINK",
    "HAS_XATTRS",
    "RAW",
    "SPARSE",
    "XATTR_PREFIX",
    "ZSTD",
    "Changed",
    "ChunkTable",
    "ChunkTableWriter",
    "Entry",
    "Extent",
    "Hidden",
    "Inode",
    "LayerIndexBuilder",
    "LayerIndexReader",
    "LayerIndexWriter",
    "Squash",
    "TarContents",
    "TarFormatError",
    "TarReader",
    "Tree",
    "Untouched",
    "UpperFormError",
    "UpperWalk",
    "checked_id",
    "checked_target",
    "clean_path",
    "parse_whiteout",
    "parse_xattrs",
]
