"""Whatever programs did in a mount, the layer of it shows the same again, over the same image.

Random operations on the `fuse` driver and on kernel overlayfs, as in the lock step: both upperdirs
are made into layers, each is merged over the image, and the trees are compared with what the mounts
showed last. So is the tar of everything, as an image of its own.
"""

import os
import random
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from listing import Listing, differences, list_folder, list_tree
from lockstep.bench import Bench, on_bench
from lockstep.explore import IMAGES, drawn
from lockstep.mounts import Image, KernelMount, OurMount
from mounting import maps_for

from fuse.contents import TarContents
from fuse.entry import Inode
from fuse.index import IndexBuilder
from fuse.merge import merge
from fuse.tree import Tree
from fuse.tree_lower import TreeLower
from fuse.upper_walk import UpperWalk
from rootless.image.merged_tar import merged_chunks
from rootless.image.upper_layer import layer_chunks


@dataclass(frozen=True)
class Shown:
    """What a mount showed.

    Attributes:
        listing: Every object but those that no layer holds.
        contents: Of every regular file.
        knows_links: Which names are one file's: on overlayfs names of one file of the upperdir, one
            of them copied up, can have two numbers.
    """

    listing: Listing
    contents: dict[bytes, bytes]
    knows_links: bool


pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

SEQUENCES = int(os.environ.get("ROOTLESS_LAYER_SEQUENCES", "12"))

Made = Callable[[UpperWalk, TarContents], Iterator[bytes]]


@pytest.mark.slow
@pytest.mark.timeout(0 if SEQUENCES > 12 else 300)
@pytest.mark.parametrize("medium", ["memory", "disk"])
def test_a_layer_shows_what_the_mount_showed(tmp_path: Path, id_map: str, medium: str) -> None:
    """Tree, attributes, links and contents are the same; and the same upperdir, the same bytes."""

    def body(bench: Bench) -> None:
        for seed in range(SEQUENCES):
            _one_sequence(bench, seed)

    on_bench(tmp_path, maps_for(id_map), body, on_disk=medium == "disk")


def _one_sequence(bench: Bench, seed: int) -> None:
    source = random.Random(seed)
    image = source.randrange(IMAGES)
    pair = bench.pair(image, looks=False)
    try:
        for operation in drawn(pair, source, single_id=bench.maps.single):
            pair.step(operation)
        showed = [_shown(mount) for mount in pair._mounts]
        pair._unmount()
        for mount, expected in zip(pair._mounts, showed, strict=True):
            what = f"seed {seed}, {type(mount).__name__}"
            _check(bench.images[image], mount.overlay.upper, expected, what)
    finally:
        pair.close()


def _shown(mount: OurMount | KernelMount) -> Shown:
    """Return what a mount shows, but for what no layer holds; and all contents."""
    root = mount.overlay.root
    listed = list_folder(root)
    kept: Listing = {}
    contents = {}
    for path, item in listed.items():
        if stat.S_ISSOCK(item.mode):
            continue
        xattrs = tuple(each for each in item.xattrs if not each[0].startswith(b"user.overlay."))
        kept[path] = item._replace(xattrs=xattrs)
        if stat.S_ISREG(item.mode):
            contents[path] = Path(os.fsdecode(os.path.join(os.fsencode(root), path))).read_bytes()
    return Shown(kept, contents, isinstance(mount, OurMount))


def _check(image: Image, upper: Path, expected: Shown, what: str) -> None:
    below = [tar.with_suffix(".index") for tar in image.tars]
    layer = _written(image, upper, lambda walk, _: layer_chunks(walk))
    _compare([*below, layer.with_suffix(".index")], [*image.tars, layer], expected, what)
    whole = _written(image, upper, merged_chunks)
    _compare([whole.with_suffix(".index")], [whole], expected, f"{what}, everything")


def _written(image: Image, upper: Path, made: Made) -> Path:
    """Write a tar of an upperdir beside it, twice for the comparison, and its index."""
    twice = [b"".join(_chunks(image, upper, made)) for _ in range(2)]
    assert twice[0] == twice[1]
    path = upper.parent / "made.tar"
    path.write_bytes(twice[0])
    with IndexBuilder(path.with_suffix(".index")) as builder:
        builder.feed(twice[0])
        builder.finish()
    return path


def _chunks(image: Image, upper: Path, made: Made) -> Iterator[bytes]:
    fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with Tree.open(image.tree) as tree, TarContents(image.tars) as contents:
            yield from made(UpperWalk(fd, tree), contents)
    finally:
        os.close(fd)


def _compare(indexes: list[Path], tars: list[Path], expected: Shown, what: str) -> None:
    out = tars[-1].with_suffix(".tree")
    out.unlink(missing_ok=True)
    merge(indexes, out)
    with Tree.open(out) as tree:
        found = differences(
            expected.listing,
            list_tree(tree),
            is_ignored=lambda _, field: field == "links" and not expected.knows_links,
        )
        assert not found, "\n".join([what, *found])
        lower = TreeLower(tree, TarContents(tars))
        for path, content in expected.contents.items():
            inode = _at(tree, path)
            assert lower.read(inode, 0, inode.size) == content, f"{what}: {path!r}"
        lower.close()


def _at(tree: Tree, path: bytes) -> Inode:
    inode = tree.inode(1)
    for name in path.split(b"/"):
        found = tree.lookup(inode.ino, name)
        assert found is not None, path
        inode = found
    return inode
