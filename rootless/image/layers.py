"""The index of one layer, as `fuse` writes it, and an upperdir, as `fuse` leaves it behind.

With `trees` the only door to that package.
"""

from fuse import chunk_table
from fuse.chunk_table import GZIP, RAW, ZSTD, ChunkTable, ChunkTableWriter
from fuse.coded_layer import CodedLayer, DecodedChunks
from fuse.compare import index_difference, index_fault, tree_difference, tree_fault
from fuse.contents import TarContents
from fuse.decode import DamagedChunk
from fuse.decode import decode as decode_chunk
from fuse.entry import HARD_LINK, HAS_XATTRS, SPARSE, Entry, Extent, Inode
from fuse.index import IndexBuilder as LayerIndexBuilder
from fuse.index import IndexReader as LayerIndexReader
from fuse.index import IndexWriter as LayerIndexWriter
from fuse.ownership import Squash
from fuse.pack_file import ABSENT as PACKED_ABSENT
from fuse.pack_file import FILES as PACKED_FILES
from fuse.pack_file import HEAD_READ as PACK_HEAD
from fuse.pack_file import PAGE as PACK_PAGE
from fuse.pack_file import Codec as PackCodec
from fuse.pack_file import Kind as PackKind
from fuse.pack_file import PackFile, PackFormatError, is_pack
from fuse.pack_file import Section as PackSection
from fuse.pack_file import front as pack_front
from fuse.pack_file import sections_size as pack_sections_size
from fuse.pax import XATTR_PREFIX, clamp_time_ns, parse_xattrs
from fuse.tar_header import checked_id, checked_target, clean_path
from fuse.tar_reader import TarFormatError, TarReader
from fuse.tree import Tree
from fuse.upper_walk import Changed, Hidden, Untouched, UpperFormError, UpperWalk
from fuse.whiteout import parse as parse_whiteout

__all__ = [
    "GZIP",
    "HARD_LINK",
    "HAS_XATTRS",
    "PACKED_ABSENT",
    "PACKED_FILES",
    "PACK_HEAD",
    "PACK_PAGE",
    "RAW",
    "SPARSE",
    "XATTR_PREFIX",
    "ZSTD",
    "Changed",
    "ChunkTable",
    "ChunkTableWriter",
    "CodedLayer",
    "DamagedChunk",
    "DecodedChunks",
    "Entry",
    "Extent",
    "Hidden",
    "Inode",
    "LayerIndexBuilder",
    "LayerIndexReader",
    "LayerIndexWriter",
    "PackCodec",
    "PackFile",
    "PackFormatError",
    "PackKind",
    "PackSection",
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
    "chunk_table",
    "clamp_time_ns",
    "clean_path",
    "decode_chunk",
    "index_difference",
    "index_fault",
    "is_pack",
    "pack_front",
    "pack_sections_size",
    "parse_whiteout",
    "parse_xattrs",
    "tree_difference",
    "tree_fault",
]
