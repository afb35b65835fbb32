"""Damaged and hostile images end in one line, with bounded memory and time."""

import os
import random
import resource
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import squashfs_images as images
from executable import Rootless

from fuse.contents import TarContents
from fuse.tree import Tree
from rootless.errors import RootlessError

_MEMORY = 600 << 20


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a small image with one of everything; its metadata has no checksums to hide behind."""
    folder = tmp_path_factory.mktemp("hostile")
    images.make_tree(folder / "root")
    return images.squash(folder / "root", folder / "image.sqfs", "-noI", "-noX")


def _read_all(path: Path, folder: Path) -> str:
    """Read an image and all of its files; return how that ended."""
    try:
        tree_path, table = images.build(path, folder)
    except RootlessError as error:
        return type(error).__name__ if "\n" not in str(error) else "more than one line"
    with Tree.open(tree_path) as tree, TarContents([table]) as lower:
        for _, inode in tree.walk():
            if inode.mode & 0o170000 == 0o100000:
                extents = tree.extents(inode.ino) if inode.sparse else ()
                for offset in range(0, min(inode.size, 4 << 20), 1 << 20):
                    try:
                        lower.read(inode, extents, offset, 1 << 20)
                    except OSError:
                        break
    return "read"


@pytest.fixture
def _bounded() -> Iterator[None]:
    """Let this process have some memory more than it has, and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("where", ["superblock", "metadata", "tables", "anywhere"])
def test_flipped_bytes(where: str, image: Path, tmp_path: Path) -> None:
    """Whatever bytes are changed, an image is read, or refused with one error of ours."""
    good = image.read_bytes()
    inode_table, directory_table = struct.unpack_from("<QQ", good, 64)
    ranges = {
        "superblock": (0, 96),
        "metadata": (inode_table, directory_table),
        "tables": (directory_table, len(good)),
        "anywhere": (0, len(good)),
    }
    chance = random.Random(where)
    ends: dict[str, int] = {}
    until = time.monotonic() + 4
    target = tmp_path / "flipped.sqfs"
    for _ in range(100):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(*ranges[where])] = chance.randrange(256)
        target.write_bytes(data)
        end = _read_all(target, tmp_path)
        ends[end] = ends.get(end, 0) + 1
        if time.monotonic() > until:
            break
    assert sum(ends.values()) > 20
    assert set(ends) <= {"read", "IntegrityError", "InvalidInput", "Precondition"}
    assert where == "anywhere" or ends["IntegrityError"]


def test_cut_anywhere(image: Path, tmp_path: Path) -> None:
    """A file that ends early is refused."""
    good = image.read_bytes()
    target = tmp_path / "cut.sqfs"
    for size in (0, 3, 95, 96, 200, len(good) // 2, len(good) - 5000):
        target.write_bytes(good[:size])
        assert _read_all(target, tmp_path) == "IntegrityError"


def test_a_directory_in_itself(tmp_path: Path) -> None:
    """A directory that holds itself is found twice, and refused."""
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    options = ("-noI", "-noD", "-noF", "-noX", "-nopad", "-no-exports")
    image = images.squash(tmp_path / "root", tmp_path / "image.sqfs", *options, pseudo=())
    data = bytearray(image.read_bytes())
    root = struct.unpack_from("<Q", data, 32)[0]
    directory_table = struct.unpack_from("<Q", data, 72)[0]
    # listings of a (in which b is) and of the root (in which a is), each a run of one name
    at = directory_table + 2
    run = struct.Struct("<IIIHhHH")
    for _ in range(2):
        fields = list(run.unpack_from(data, at))
        fields[1], fields[3] = root >> 16, root & 0xFFFF
        run.pack_into(data, at, *fields)
        at += run.size + 1
    image.write_bytes(data)
    assert _read_all(image, tmp_path) == "IntegrityError"


def test_old_and_unknown(image: Path, tmp_path: Path) -> None:
    """Versions and compressors that are not known are named."""
    good = bytearray(image.read_bytes())
    target = tmp_path / "other.sqfs"
    for place, value in ((20, 2), (20, 9), (28, 3)):
        data = bytearray(good)
        data[place : place + 2] = struct.pack("<H", value)
        target.write_bytes(data)
        assert _read_all(target, tmp_path) == "InvalidInput"


def test_one_line_of_a_command(image: Path, tmp_path: Path, rootless: Rootless) -> None:
    """`rootless run` says it in one line."""
    target = tmp_path / "cut.sqfs"
    target.write_bytes(image.read_bytes()[:5000])
    done = rootless("run", target, "true")
    assert done.status == 125
    assert done.stderr.startswith("rootless: damaged squashfs image: ")
    assert done.stderr.count("\n") == 1
    folder = rootless.home.store / "foreign"
    assert not folder.exists() or not os.listdir(folder)
