"""`rootless.squashfs.image`: names and blocks of a whole image."""

import os
import stat
from collections.abc import Iterator

import pytest
import squashfs_images as images

from rootless.errors import IntegrityError
from rootless.squashfs.image import SquashfsImage
from rootless.squashfs.inode import NO_FRAGMENT
from rootless.squashfs.window import Window


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SquashfsImage]:
    """Give an image in the middle of a file, as a SIF file has it."""
    folder = tmp_path_factory.mktemp("image")
    images.make_tree(folder / "root")
    path = images.squash(folder / "root", folder / "image.sqfs")
    inside = folder / "inside"
    inside.write_bytes(bytes(5000) + path.read_bytes())
    fd = os.open(inside, os.O_RDONLY)
    yield SquashfsImage(Window(fd, 5000, path.stat().st_size, "image"), "image")
    os.close(fd)


def test_walk(image: SquashfsImage) -> None:
    """Each directory comes before what is in it, and each name once."""
    seen: set[bytes] = set()
    for path, _, inode in image.walk():
        parent = path.rpartition(b"/")[0]
        assert path not in seen
        assert not path or parent in seen
        seen.add(path) if stat.S_ISDIR(inode.mode) else None
    assert b"d0/d1/d2/d3/d4/d5" in seen


def test_blocks(image: SquashfsImage) -> None:
    """Blocks lie one behind the other in the whole file; holes have none."""
    by_path = {path: inode for path, _, inode in image.walk()}
    blocks = list(image.blocks(by_path[b"two"]))
    assert len(blocks) == 2
    assert None not in blocks
    first, second = blocks
    assert first is not None
    assert second is not None
    assert first.place >= 5000
    assert second.place == first.place + first.stored
    assert list(image.blocks(by_path[b"hole"])).count(None) >= 3
    assert by_path[b"small"].fragment != NO_FRAGMENT
    assert image.fragment(by_path[b"small"].fragment).stored > 0


def test_no_such_rows(image: SquashfsImage) -> None:
    """Numbers that a table does not have are damage."""
    inode = next(image.walk()).inode
    with pytest.raises(IntegrityError):
        image.fragment(100_000)
    with pytest.raises(IntegrityError):
        image.xattrs(100_000)
    assert image.owner(inode)[0] == os.getuid()
