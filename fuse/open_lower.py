"""A lower out of paths: folders and tars, in the order of overlayfs's `lowerdir=`.

A tar has its index beside it (`layer.tar`, `layer.index`), else one is made for the time of the
mount. Neighbouring tars are merged beforehand, so that a stack of tars costs one look-up a name;
where folders lie among them, the merged pieces and the folders are stacked.
"""

import itertools
import os
import stat
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .contents import TarContents
from .folder_lower import FolderLower
from .index import IndexBuilder
from .merge import merge
from .stacked_lower import StackedLower
from .tree import Tree
from .tree_lower import TreeLayer, TreeLower

if TYPE_CHECKING:
    from .lower import Layer

_CHUNK = 1 << 20
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")


def open_lower(paths: Sequence[str]) -> TreeLower | StackedLower:
    """Open layers, the uppermost first; a tree where all are tars, a stack else.

    Raises:
        OSError: One cannot be opened, or is neither a folder nor a tar.
        ValueError: A tar or its index is damaged, the layers do not fit together.
    """
    kinds = [(path, _is_folder(path)) for path in paths]
    if not any(is_folder for _, is_folder in kinds):
        return TreeLower(*_merged(paths, keeps_whiteouts=False))
    layers: list[Layer] = []
    try:
        for is_folder, group in itertools.groupby(kinds, key=lambda each: each[1]):
            members = [path for path, _ in group]
            if is_folder:
                layers += (_folder(path) for path in members)
            else:
                layers.append(TreeLayer(*_merged(members, keeps_whiteouts=True)))
        return StackedLower(layers)
    except BaseException:
        for layer in layers:
            layer.close()
        raise


def _is_folder(path: str) -> bool:
    mode = os.stat(path).st_mode
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise OSError(0, "neither a folder nor a tar", path)
    return stat.S_ISDIR(mode)


def _folder(path: str) -> FolderLower:
    return FolderLower(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))


def _merged(paths: Sequence[str], *, keeps_whiteouts: bool) -> tuple[Tree, TarContents]:
    """Return the tree of tars, the uppermost first, and their contents."""
    tars = [Path(path) for path in reversed(paths)]
    contents = TarContents(tars)
    try:
        with tempfile.TemporaryDirectory(prefix="rootless-overlay-") as folder:
            indexes = list(_indexes(tars, Path(folder)))
            out = Path(folder, "tree")
            merge(indexes, out, keeps_whiteouts=keeps_whiteouts)
            return Tree.open(out), contents  # open is enough: the name is not needed again
    except BaseException:
        contents.close()
        raise


def _indexes(tars: Iterable[Path], folder: Path) -> Iterable[Path]:
    for number, tar in enumerate(tars):
        beside = tar.with_suffix(".index")
        yield beside if beside.exists() else _make_index(tar, folder / f"{number}.index")


def _make_index(tar: Path, out: Path) -> Path:
    with open(tar, "rb") as file, IndexBuilder(out) as builder:
        try:
            while chunk := file.read(_CHUNK):
                if file.tell() <= _CHUNK and chunk.startswith(_COMPRESSED):
                    raise OSError(0, "the tar is compressed; it must be a plain one", str(tar))
                builder.feed(chunk)
            builder.finish()
        except ValueError as error:
            raise ValueError(f"{error}: {str(tar)!r}") from error
    return out
