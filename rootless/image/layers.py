"""The index of one layer, as `fuse` writes it, and an upperdir, as `fuse` leaves it behind.

With `trees` the only door to that package. What is behind it is imported when it is asked for: a
run needs little of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuse import chunk_table
    from fuse.chunk_table import GZIP, RAW, ZSTD, ChunkTable, ChunkTableWriter
    from fuse.coded_layer import CodedLayer, DecodedChunks
    from fuse.compare import index_difference, index_fault, tree_difference, tree_fault
    from fuse.contents import TarContents
    from fuse.decode import DamagedChunk
    from fuse.decode import decode as decode_chunk
    from fuse.entry import HARD_LINK, HAS_XATTRS, IMPLIED_LAYER, SPARSE, Entry, Extent, Inode
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
    from fuse.replay import MergedTree, MergeError
    from fuse.replay import Node as MergedNode
    from fuse.tar_header import checked_id, checked_target, clean_path
    from fuse.tar_reader import TarFormatError, TarReader
    from fuse.tree import Tree
    from fuse.upper_walk import Changed, Hidden, Untouched, UpperFormError, UpperWalk
    from fuse.whiteout import parse as parse_whiteout
    from fuse.xattrs import OPAQUE

__all__ = [
    "GZIP",
    "HARD_LINK",
    "HAS_XATTRS",
    "IMPLIED_LAYER",
    "OPAQUE",
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
    "MergeError",
    "MergedNode",
    "MergedTree",
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

_PLACES = {
    "Changed": ("upper_walk", "Changed"),
    "ChunkTable": ("chunk_table", "ChunkTable"),
    "ChunkTableWriter": ("chunk_table", "ChunkTableWriter"),
    "CodedLayer": ("coded_layer", "CodedLayer"),
    "DamagedChunk": ("decode", "DamagedChunk"),
    "DecodedChunks": ("coded_layer", "DecodedChunks"),
    "Entry": ("entry", "Entry"),
    "Extent": ("entry", "Extent"),
    "GZIP": ("chunk_table", "GZIP"),
    "HARD_LINK": ("entry", "HARD_LINK"),
    "HAS_XATTRS": ("entry", "HAS_XATTRS"),
    "IMPLIED_LAYER": ("entry", "IMPLIED_LAYER"),
    "Hidden": ("upper_walk", "Hidden"),
    "Inode": ("entry", "Inode"),
    "LayerIndexBuilder": ("index", "IndexBuilder"),
    "LayerIndexReader": ("index", "IndexReader"),
    "LayerIndexWriter": ("index", "IndexWriter"),
    "MergeError": ("replay", "MergeError"),
    "MergedNode": ("replay", "Node"),
    "MergedTree": ("replay", "MergedTree"),
    "OPAQUE": ("xattrs", "OPAQUE"),
    "PACKED_ABSENT": ("pack_file", "ABSENT"),
    "PACKED_FILES": ("pack_file", "FILES"),
    "PACK_HEAD": ("pack_file", "HEAD_READ"),
    "PACK_PAGE": ("pack_file", "PAGE"),
    "PackCodec": ("pack_file", "Codec"),
    "PackFile": ("pack_file", "PackFile"),
    "PackFormatError": ("pack_file", "PackFormatError"),
    "PackKind": ("pack_file", "Kind"),
    "PackSection": ("pack_file", "Section"),
    "RAW": ("chunk_table", "RAW"),
    "SPARSE": ("entry", "SPARSE"),
    "Squash": ("ownership", "Squash"),
    "TarContents": ("contents", "TarContents"),
    "TarFormatError": ("tar_reader", "TarFormatError"),
    "TarReader": ("tar_reader", "TarReader"),
    "Tree": ("tree", "Tree"),
    "Untouched": ("upper_walk", "Untouched"),
    "UpperFormError": ("upper_walk", "UpperFormError"),
    "UpperWalk": ("upper_walk", "UpperWalk"),
    "XATTR_PREFIX": ("pax", "XATTR_PREFIX"),
    "ZSTD": ("chunk_table", "ZSTD"),
    "checked_id": ("tar_header", "checked_id"),
    "checked_target": ("tar_header", "checked_target"),
    "chunk_table": ("chunk_table", ""),
    "clamp_time_ns": ("pax", "clamp_time_ns"),
    "clean_path": ("tar_header", "clean_path"),
    "decode_chunk": ("decode", "decode"),
    "index_difference": ("compare", "index_difference"),
    "index_fault": ("compare", "index_fault"),
    "is_pack": ("pack_file", "is_pack"),
    "pack_front": ("pack_file", "front"),
    "pack_sections_size": ("pack_file", "sections_size"),
    "parse_whiteout": ("whiteout", "parse"),
    "parse_xattrs": ("pax", "parse_xattrs"),
    "tree_difference": ("compare", "tree_difference"),
    "tree_fault": ("compare", "tree_fault"),
}
"""Where each is: the module of `fuse`, and its name there; "" for the module itself."""


def __getattr__(name: str) -> Any:
    """Import one, and keep it."""
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"fuse.{place[0]}")
    found = globals()[name] = getattr(module, place[1]) if place[1] else module
    return found
