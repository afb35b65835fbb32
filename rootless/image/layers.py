"""The index of one layer, as `fuse` writes it; with `trees` the only door to that package."""

from fuse.index import IndexBuilder as LayerIndexBuilder
from fuse.tar_reader import TarFormatError

__all__ = ["LayerIndexBuilder", "TarFormatError"]
