"""Indexes and merged trees out of the builders of `images`, for every test that needs one."""

from collections.abc import Sequence
from pathlib import Path

import images

from fuse.entry import Entry, Extent
from fuse.index import IndexBuilder
from fuse.merge import merge
from fuse.tar_reader import TarReader
from fuse.tree import Tree

Member = tuple[Entry, dict[bytes, bytes], tuple[Extent, ...]]


def parse(tar: bytes, chunk_size: int = 1 << 16) -> list[Member]:
    """Return what the tar reader emits for an archive fed in chunks of this size."""
    members: list[Member] = []
    reader = TarReader(
        lambda entry, xattrs, extents: members.append((entry, dict(xattrs), tuple(extents)))
    )
    for start in range(0, len(tar), chunk_size):
        reader.feed(tar[start : start + chunk_size])
    reader.finish()
    return members


def build_index(path: Path, layer: images.Layer) -> Path:
    """Write the index of a layer."""
    with IndexBuilder(path) as builder:
        builder.feed(images.layer_tar(layer))
        builder.finish()
    return path


def build_tree(folder: Path, layers: Sequence[images.Layer], *, prefix: bytes = b"") -> Path:
    """Write the layers' tars (`N.tar`), indexes (`N.index`) and merged tree; returns its path."""
    folder.mkdir(exist_ok=True)
    for number, layer in enumerate(layers):
        tar_path(folder, number).write_bytes(images.layer_tar(layer))
        build_index(folder / f"{number}.index", layer)
    merge([folder / f"{n}.index" for n in range(len(layers))], folder / "tree", prefix=prefix)
    return folder / "tree"


def tar_path(folder: Path, number: int) -> Path:
    """Return where `build_tree` puts a layer's tar."""
    return folder / f"{number}.tar"


def listing(tree_path: Path) -> dict[bytes, str]:
    """Return path and a short description of every object but the root."""
    kinds = {0o4: "dir", 0o10: "file", 0o12: "link", 0o2: "char", 0o6: "block", 0o1: "fifo"}
    with Tree.open(tree_path) as tree:
        return {
            path: f"{kinds[inode.mode >> 12]} {inode.mode & 0o7777:o}"
            for path, inode in tree.walk()
            if path
        }
