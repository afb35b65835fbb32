"""A stack of folders and tars, in any mixture, shows what the same layers merged beforehand show.

The folders hold the layers as kernel overlayfs takes them (tests/judges), so the whole stack of
folders can be put before the kernel as well, which tests/conformance/test_tree_against_umoci does
for the merged tree: by way of the tree all three are equal.
"""

import itertools
import random
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
import trees
from judges import unpack_for_overlay
from listing import Listing, differences, dumped, list_lower, list_tree, loaded
from random_image import random_layers

from fuse.open_lower import open_lower
from fuse.tree import Tree
from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, choose_maps
from rootless.userns.subid import Caller

pytestmark = pytest.mark.needs_subid

LAYERS = 8


def devices(listing: Listing) -> set[bytes]:
    """Return the paths of device nodes, for which a folder of an ordinary user has files."""
    return {
        path for path, item in listing.items() if stat.S_ISCHR(item.mode) or stat.S_ISBLK(item.mode)
    }


@pytest.mark.parametrize("seed", range(6))
def test_any_mixture(tmp_path: Path, seed: int) -> None:
    """Random layers, each a tar or a folder by chance, the first mixture all folders."""
    layers = random_layers(100 + seed, LAYERS)
    with Tree.open(trees.build_tree(tmp_path, layers)) as tree:
        expected = list_tree(tree)
    tars = [trees.tar_path(tmp_path, number) for number in range(LAYERS)]
    chance = random.Random(seed)
    mixtures = [[True] * LAYERS] + [
        [chance.random() < 0.5 for _ in range(LAYERS)] for _ in range(4)
    ]
    results = tmp_path / "results"

    def inside() -> None:
        folders = unpack(tars, tmp_path)
        for number, mixture in enumerate(mixtures):
            paths = [
                str(folder if is_folder else tar)
                for folder, tar, is_folder in zip(folders, tars, mixture, strict=True)
            ]
            lower = open_lower(paths[::-1])
            Path(f"{results}.{number}").write_bytes(dumped(list_lower(lower)))
            lower.close()

    run_inside(choose_maps(MapRequest(), Caller.current()), inside)
    ignored = devices(expected)
    for number, mixture in enumerate(mixtures):
        found = loaded(Path(f"{results}.{number}").read_bytes())
        lines = differences(
            expected,
            found,
            # Links between layers of different kinds cannot be: each has its own files.
            is_ignored=lambda path, field: path in ignored and field in ("mode", "rdev"),
        )
        kinds = ["folder" if is_folder else "tar" for is_folder in mixture]
        assert not lines, f"{kinds}: {len(lines)} differences:\n" + "\n".join(lines[:20])


def unpack(tars: Sequence[Path], where: Path) -> list[Path]:
    """Unpack each layer into a folder; run as root of a user namespace."""
    folders: list[Path] = []
    for number, tar in enumerate(tars):
        folder = where / f"folder{number}"
        folder.mkdir()
        unpack_for_overlay(tar, folder, folders)
        folders.append(folder)
    return folders


def test_numbers_are_unique_and_stay(tmp_path: Path) -> None:
    """No two objects have one number, and each keeps its own when the stack is opened again."""
    layers = random_layers(7, 3)
    trees.build_tree(tmp_path, layers)
    tars = [str(trees.tar_path(tmp_path, number)) for number in range(3)]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("in a folder")
    paths = [tars[2], str(tmp_path / "folder"), tars[1], tars[0]]
    numbers = []
    for _ in range(2):
        lower = open_lower(paths)
        found: dict[bytes, int] = {}
        stack = [(b"", lower.root)]
        while stack:
            path, inode = stack.pop()
            found[path] = inode.ino
            assert inode.ino <= lower.last_ino
            if stat.S_ISDIR(inode.mode):
                children = ((name, lower.lookup(inode, name)) for name in lower.names(inode))
                stack += [(path + b"/" + name, child) for name, child in children if child]
        numbers.append(found)
        lower.close()
    assert numbers[0] == numbers[1]
    by_number = itertools.groupby(sorted(numbers[0].values()))
    repeated = [number for number, group in by_number if len(list(group)) > 1]
    listing = {path for path, number in numbers[0].items() if number in repeated}
    assert len(listing) < len(numbers[0]) / 2  # hard links share one; nothing else does
