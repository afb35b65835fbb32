"""Several layers as one."""

from io import BytesIO
from pathlib import Path

import images
import pytest
import trees
from stocked import store_with_pic

from fuse.tree import Tree
from rootless.image import names
from rootless.image.merged_layers import merged_layer_chunks
from rootless.image.store import Store
from rootless.oci.digest import Digest

_LOWEST = (
    images.LayerBuilder()
    .directory("d", mode=0o700)
    .file("d/a", b"a")
    .file("d/b", b"b")
    .directory("e")
    .file("e/x", b"x")
    .file("f", b"f")
)
_UPPER = (
    images.LayerBuilder()
    .file("d/.wh.a", b"")
    .directory("e")
    .file("e/.wh..wh..opq", b"")
    .file("e/new", b"new")
    .file("g", b"g")
    .hard_link("h", "g"),
    images.LayerBuilder().file(".wh.f", b"").file("d/c", b"c").file("g2", b"").file(".wh.h", b""),
    images.LayerBuilder().file("f", b"again").file("d/.wh.c", b""),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the layers."""
    return store_with_pic(tmp_path, _LOWEST, *_UPPER)


def _merged(store: Store, diff_ids: tuple[Digest, ...], **options: bool) -> bytes:
    return b"".join(merged_layer_chunks(store, diff_ids, **options))


def _shown(path: Path) -> list[tuple[bytes, tuple[int, ...], bytes]]:
    with Tree.open(path) as tree:
        return [
            (path, (inode.mode, inode.uid, inode.size, inode.mtime_ns, inode.nlink), inode.target)
            for path, inode in tree.walk()
        ]


def test_over_what_lies_below(store: Store, tmp_path: Path) -> None:
    """On the same lower layer it shows the same: whiteouts, opaque folders, folders' attributes."""
    diff_ids = names.resolve(store, "pic").config.diff_ids
    squashed = _merged(store, diff_ids[1:])
    assert squashed == _merged(store, diff_ids[1:])
    one = trees.build_tree(tmp_path / "one", [_LOWEST, squashed])
    several = trees.build_tree(tmp_path / "several", [_LOWEST, *_UPPER])
    assert _shown(one) == _shown(several)
    assert b"again" in squashed


def test_with_nothing_below(store: Store, tmp_path: Path) -> None:
    """One layer of all has no mark of what was taken away."""
    diff_ids = names.resolve(store, "pic").config.diff_ids
    squashed = _merged(store, diff_ids, is_lowest=True)
    one = trees.build_tree(tmp_path / "one", [squashed])
    several = trees.build_tree(tmp_path / "several", [_LOWEST, *_UPPER])
    assert _shown(one) == _shown(several)
    assert b".wh." not in squashed
    assert BytesIO(squashed).read(1)


def test_no_file_is_younger(store: Store, tmp_path: Path) -> None:
    """Times are held down to the latest."""
    diff_ids = names.resolve(store, "pic").config.diff_ids
    latest = 10**9
    squashed = b"".join(merged_layer_chunks(store, diff_ids, is_lowest=True, latest_ns=latest))
    shown = _shown(trees.build_tree(tmp_path / "one", [squashed]))
    assert max(attributes[3] for path, attributes, _ in shown if path) <= latest


def test_nothing_is_left(store: Store) -> None:
    """The tree in between goes, when it was read to the end and when it was not."""
    diff_ids = names.resolve(store, "pic").config.diff_ids
    chunks = merged_layer_chunks(store, diff_ids)
    next(chunks)
    chunks.close()
    _merged(store, diff_ids)
    assert not list((store.root / "trees").glob(".tmp-*"))
