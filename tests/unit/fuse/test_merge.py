"""Indexes in, one tree out: what the file holds, and what is refused."""

import stat
from itertools import pairwise
from pathlib import Path

import pytest
from images import CAP_NET_RAW, END, LayerBuilder, header, padded, pax_header, small_layer
from listing import differences, list_lower, list_tree
from random_image import random_layers
from trees import build_index, build_tree, listing, tar_path

from fuse import wire
from fuse.contents import TarContents
from fuse.database import IndexFormatError
from fuse.entry import Inode, TreeStatistics
from fuse.merge import MergeError, merge
from fuse.stacked_lower import StackedLower
from fuse.tree import Tree
from fuse.tree_lower import TreeLayer


def node(tree: Tree, path: bytes) -> Inode:
    """Return the object of a path that is there."""
    found = tree.resolve(path)
    assert found is not None
    return found


def test_everything_of_one_layer_is_there(tmp_path: Path) -> None:
    """Kinds, permissions, owners, devices, links, contents' places and binary attributes."""
    with Tree.open(build_tree(tmp_path, [small_layer()])) as tree:
        paths = dict(tree.walk())
        assert paths[b"bin/sh"].ino == paths[b"bin/dash"].ino
        assert paths[b"bin/sh"].nlink == 2
        assert paths[b"usr/bin/su"].mode == stat.S_IFREG | 0o4755
        assert paths[b"dev/loop0"][1:5] == (stat.S_IFBLK | 0o660, 1, 0, 6)
        assert paths[b"etc/mtab"].target == b"/proc/mounts"
        assert paths[b"home/user/\xff\xfe"].uid == 1000
        assert tree.xattrs(paths[b"usr/bin/ping"].ino) == {b"security.capability": CAP_NET_RAW}
        passwd = paths[b"etc/passwd"]
        tar = small_layer().tar()
        assert tar[passwd.offset : passwd.offset + passwd.size].startswith(b"root:")


def test_layers_number_from_the_lowest(tmp_path: Path) -> None:
    """Each object says in which tar its contents lie."""
    layers = [LayerBuilder().file("a", b"1").file("b", b"1"), LayerBuilder().file("b", b"22")]
    with Tree.open(build_tree(tmp_path, layers)) as tree:
        assert [(name, inode.layer, inode.size) for name, inode in tree.children(1)] == [
            (b"a", 0, 1),
            (b"b", 1, 2),
        ]


def test_attributes_go_with_the_entry_that_won(tmp_path: Path) -> None:
    """Extended attributes of a lower layer's entry do not show through."""
    layers = [
        LayerBuilder()
        .directory("d", xattrs={"user.a": b"1", "user.b": b"1"})
        .file("f", xattrs={"user.a": b"1"})
        .file("kept", xattrs={"user.a": b"\0\xff"}),
        LayerBuilder().directory("d", xattrs={"user.b": b"2"}).file("f").file("g"),
    ]
    with Tree.open(build_tree(tmp_path, layers)) as tree:
        found = {name: tree.xattrs(inode.ino) for name, inode in tree.children(1)}
        assert found == {
            b"d": {b"user.b": b"2"},
            b"f": {},
            b"g": {},
            b"kept": {b"user.a": b"\0\xff"},
        }
        assert tree.has_xattrs


def test_extents_of_a_sparse_file_stay_with_it(tmp_path: Path) -> None:
    """Also when it is hard-linked from a later layer."""
    records = [(b"GNU.sparse.map", b"10,5,100,5"), (b"GNU.sparse.size", b"200")]
    sparse = pax_header(records) + header(b"s", size=10) + padded(b"1234567890") + END
    layers = [LayerBuilder().file("x"), sparse, LayerBuilder().hard_link("t", "s")]
    with Tree.open(build_tree(tmp_path, layers)) as tree:
        inode = node(tree, b"t")
        assert (inode.sparse, inode.size, inode.layer, inode.nlink) == (1, 200, 1, 2)
        assert tree.extents(inode.ino) == (
            (10, 5, inode.offset),
            (100, 5, inode.offset + 5),
        )


def test_statistics_count_objects_once(tmp_path: Path) -> None:
    """Hard links are one object, hidden files none."""
    index = build_index(
        tmp_path / "a", LayerBuilder().file("a", b"12345").hard_link("b", "a").file("c", b"1")
    )
    upper = build_index(tmp_path / "b", LayerBuilder().whiteout("c").directory("d"))
    assert merge([index, upper], tmp_path / "t") == TreeStatistics(inodes=3, bytes=5)
    with Tree.open(tmp_path / "t") as tree:
        assert tree.statistics == TreeStatistics(inodes=3, bytes=5)
        assert not tree.has_xattrs


def test_no_layer_at_all_is_an_empty_root(tmp_path: Path) -> None:
    """An image without layers has a directory and nothing in it."""
    assert merge([], tmp_path / "t") == TreeStatistics(inodes=1, bytes=0)


def test_the_same_layers_make_the_same_file(tmp_path: Path) -> None:
    """Nothing of the moment or the machine is in a tree."""
    first = build_tree(tmp_path / "1", [small_layer(), LayerBuilder().file("x")]).read_bytes()
    assert (
        build_tree(tmp_path / "2", [small_layer(), LayerBuilder().file("x")]).read_bytes() == first
    )


def test_a_prefix_becomes_the_root(tmp_path: Path) -> None:
    """Only what lies below it is taken; hard links and whiteouts are relative to it."""
    lower = (
        LayerBuilder()
        .file("config.json", b"{}")
        .directory("rootfs", mode=0o711)
        .file("rootfs/a", b"1")
        .hard_link("rootfs/b", "rootfs/a")
        .file("rootfs/gone")
        .file("rootfsx")
    )
    upper = LayerBuilder().whiteout("rootfs/gone").whiteout("rootfs").whiteout("elsewhere")
    path = build_tree(tmp_path, [lower, upper], prefix=b"rootfs")
    assert listing(path) == {b"a": "file 644", b"b": "file 644"}
    with Tree.open(path) as tree:
        assert tree.inode(1).mode == stat.S_IFDIR | 0o711
        assert node(tree, b"a").nlink == 2


def test_a_prefix_keeps_links_inside(tmp_path: Path) -> None:
    """A hard link to what lies beside it is refused."""
    layer = LayerBuilder().file("config.json").hard_link("rootfs/a", "config.json")
    with pytest.raises(MergeError, match="outside"):
        build_tree(tmp_path, [layer], prefix=b"rootfs")


def test_a_prefix_that_nothing_lies_below_is_refused(tmp_path: Path) -> None:
    """An empty root would run nothing, and hide the mistake."""
    with pytest.raises(MergeError, match="rootfs"):
        build_tree(tmp_path, [small_layer()], prefix=b"rootfs")


def test_layers_that_do_not_fit_leave_no_file(tmp_path: Path) -> None:
    """The replay comes before the first byte is written."""
    with pytest.raises(MergeError, match=r"a hard link to 'etc/shadow', which the image lacks"):
        build_tree(tmp_path, [LayerBuilder().hard_link("a", "/etc/shadow")])
    assert not (tmp_path / "tree").exists()


def test_a_tree_is_no_index(tmp_path: Path) -> None:
    """Files of the other kind are refused."""
    tree = build_tree(tmp_path, [small_layer()])
    with pytest.raises(IndexFormatError, match="not a file of this kind"):
        merge([tree], tmp_path / "again")


@pytest.mark.parametrize("seed", range(6))
def test_a_merge_may_be_split_where_whiteouts_are_kept(tmp_path: Path, seed: int) -> None:
    """A tree of the upper layers with its whiteouts, on one of the lower ones, is the whole.

    So grouping the tars of a stack, as `open_lower` does around folders, changes nothing.
    """
    count = 5
    layers = random_layers(300 + seed, count, operations=25)
    with Tree.open(build_tree(tmp_path, layers)) as tree:
        whole = list_tree(tree)
    for middle in range(1, count):
        # three pieces, so that one lies between others
        pieces = sorted({0, middle, (middle + count) // 2, count})
        stack = StackedLower([piece(tmp_path, low, high) for low, high in pairwise(pieces)][::-1])
        lines = differences(whole, list_lower(stack))
        stack.close()
        assert not lines, f"cut at {pieces}:\n" + "\n".join(lines[:20])


def piece(folder: Path, low: int, high: int) -> TreeLayer:
    """Merge a part of the layers that `build_tree` wrote, to lie on others."""
    out = folder / f"{low}-{high}"
    indexes = [folder / f"{number}.index" for number in range(low, high)]
    merge(indexes, out, keeps_whiteouts=True)
    return TreeLayer(Tree.open(out), TarContents(tar_path(folder, n) for n in range(low, high)))


def test_a_tree_that_keeps_whiteouts_says_what_it_hides(tmp_path: Path) -> None:
    """Whiteouts of what no layer of it has stay; a name made again hides by itself."""
    layers = [
        LayerBuilder().file("a").directory("d").file("d/x").whiteout("b"),
        LayerBuilder().whiteout("a").file("b").opaque("d").whiteout("deep/er/gone"),
    ]
    build_tree(tmp_path, layers)
    layer = piece(tmp_path, 0, 2)
    try:
        assert layer.names(layer.root) == [b"b", b"d", b"deep"]
        assert set(layer.hidden(layer.root)) == {b"a"}
        found = {name: layer.lookup(layer.root, name) for name in (b"a", b"d", b"deep")}
        assert found[b"a"] is None
        directory, deep = found[b"d"], found[b"deep"]
        assert directory is not None
        assert deep is not None
        assert layer.is_opaque(directory)
        assert not layer.is_opaque(deep)
        assert layer.xattrs(directory) == {}
        inner = layer.lookup(deep, b"er")
        assert inner is not None
        assert set(layer.hidden(inner)) == {b"gone"}
    finally:
        layer.close()


@pytest.mark.parametrize("seed", range(3))
def test_listings_say_what_the_tables_say(tmp_path: Path, seed: int) -> None:
    """Each directory is packed with its entries in order, their attributes and its parent."""
    with Tree.open(build_tree(tmp_path, random_layers(500 + seed, 3, operations=40))) as tree:
        parents = {b"": 1}
        for path, inode in tree.walk():
            if not stat.S_ISDIR(inode.mode):
                continue
            parent = parents[path.rpartition(b"/")[0]]
            parents[path] = inode.ino
            expected = [
                (
                    name,
                    wire.entry(
                        each.ino, wire.lower_attributes(each, each.uid, each.gid, each.nlink)
                    ),
                )
                for name, each in tree.children(inode.ino)
            ]
            chunk = tree.chunk(inode.ino, 0)
            assert chunk.is_last
            entries, at, found = chunk.entries, 0, []
            for _ in range(chunk.number - 2):
                found.append((wire.name_at(entries, at), entries[at : at + wire.ENTRY.size]))
                at += wire.length_at(entries, at)
            assert found == expected
            position = chunk.number
            dots = wire.dots(inode.ino, position - 1, b".") + wire.dots(parent, position, b"..")
            assert entries[at:] == dots
