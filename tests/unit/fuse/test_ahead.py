"""Both kinds of work ahead, together."""

from pathlib import Path

import images
import trees

from fuse.ahead import Ahead
from fuse.contents import TarContents
from fuse.tree import ROOT_INO, Tree
from fuse.tree_lower import TreeLower


def test_listings_and_contents(tmp_path: Path) -> None:
    """A walk makes listings ready, opens in order push files, and then there is nothing to do."""
    layer = images.LayerBuilder()
    for folder in "abcdef":
        layer.directory(folder)
        for number in range(20):
            layer.file(f"{folder}/{number:02}", b"contents")
    tree = Tree.open(trees.build_tree(tmp_path, [layer]))
    lower = TreeLower(tree, TarContents([trees.tar_path(tmp_path, 0)]))
    pushed: list[int] = []
    ahead = Ahead(
        lower.listings,
        lower.contents,
        lambda ino, _offset, _contents: pushed.append(ino),
        lower.last_ino,
    )
    assert not ahead.work()
    folders = lower.listings.listing(ROOT_INO).directories
    for folder in (ROOT_INO, *folders[:3]):
        ahead.listed(folder)
    while ahead.work():
        pass
    assert lower.listings.is_kept(folders[3])
    files = list(lower.listings.listing(folders[0]).inodes)
    for file in files[:4]:
        ahead.opened(file)
        while ahead.work():
            pass
    assert set(pushed) == set(files[3:])
    lower.close()
