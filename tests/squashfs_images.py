"""Squashfs images made by mksquashfs of a tree that has one of everything, and what reads them.

SIF files are written here around such an image, by the format's description: there is no Apptainer.
"""

import os
import random
import shutil
import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from listing import Listing, list_folder, list_tree

from fuse.contents import TarContents
from fuse.tree import Tree
from rootless.image import trees
from rootless.image.squashfs_layer import write_layer
from rootless.squashfs.image import SquashfsImage
from rootless.squashfs.window import Window

COMPRESSORS = ("gzip", "xz", "zstd", "lz4", "lzo")
BLOCK = 131072
TIME_NS = 1_600_000_000 * 10**9
PSEUDO = (
    "null c 666 0 5 1 3",
    "disk b 640 0 6 259 70000",
    "owned m 4755 1234 70000",
)


def make_tree(root: Path, seed: int = 0) -> None:
    """Make a folder with one of everything, the same for the same seed."""
    chance = random.Random(seed)
    root.mkdir()
    sizes = {
        "empty": 0,
        "small": 5,
        "block": 131072,
        "two": 262144,
        "tail": 131072 + 77,
        "big": 10**6,
    }
    for name, size in sizes.items():
        (root / name).write_bytes(chance.randbytes(size))
    (root / "text").write_bytes(b"the same line again\n" * 40_000)
    shutil.copy(root / "tail", root / "copy of tail")
    (root / "owned").write_bytes(b"#!/bin/sh\n")
    _sparse(root / "sparse", {300_000: b"in the middle", 1_000_000: b"x" * 200_000}, 2_000_000)
    _sparse(root / "hole", {}, 500_000)
    _sparse(root / "hole at the end", {0: b"y" * BLOCK}, 400_000)
    many = root / "many"
    many.mkdir()
    for number in range(700):
        (many / f"{number:04}-{'n' * chance.randrange(1, 60)}").write_bytes(b"%d" % number)
    os.link(root / "small", many / "linked")
    os.link(root / "small", root / "zlinked")
    deep = root
    for number in range(30):
        deep /= f"d{number}"
        deep.mkdir()
    (deep / "bottom").write_bytes(chance.randbytes(1000))
    (root / "link").symlink_to("../small")
    (root / "long link").symlink_to("l" * 1000)
    os.symlink(b"\xff\xfe", os.fsencode(root) + b"/\xff\xfename")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(root, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
    os.setxattr(root / "text", "user.short", b"value")
    os.setxattr(root / "text", "user.bytes", bytes(range(256)))
    os.setxattr(many, "user.of-a-folder", b"")
    for number in range(6):  # long values that several share lie apart
        (root / f"labelled-{number}").write_bytes(b"")
        os.setxattr(root / f"labelled-{number}", "user.long", b"L" * 900)
        os.setxattr(root / f"labelled-{number}", f"user.own-{number}", b"%d" % number)
    (root / "small").chmod(0o604)
    (many).chmod(0o1777)
    _set_times(root)


def _sparse(path: Path, pieces: dict[int, bytes], size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)
        for offset, data in pieces.items():
            file.seek(offset)
            file.write(data)


def _set_times(root: Path) -> None:
    for folder, folders, files in os.walk(os.fsencode(root), topdown=False):
        for number, name in enumerate(sorted(files + folders)):
            when = TIME_NS + number * 10**9
            os.utime(os.path.join(folder, name), ns=(when, when), follow_symlinks=False)
    os.utime(root, ns=(TIME_NS, TIME_NS))


def squash(root: Path, out: Path, *options: str, pseudo: Sequence[str] = PSEUDO) -> Path:
    """Make an image of a folder."""
    words = [word for line in pseudo for word in ("-p", line)]
    command = ["mksquashfs", root, out, *options, *words, "-noappend", "-quiet", "-no-progress"]
    subprocess.run(command, check=True, capture_output=True)
    return out


def sif_of(image: Path, out: Path, *, form: int = 1, role: int = 2, arch: bytes = b"02") -> Path:
    """Write a SIF file with an image as its partition."""
    data = image.read_bytes()
    place = 36864
    used = [
        _descriptor(0x4001, 32768, 4, b""),
        _descriptor(0x4004, place, len(data), struct.pack("<ii3s", form, role, arch)),
    ]
    head = struct.pack(
        "<32s10s3s3s16s8q",
        *(b"#!/usr/bin/env run-singularity\n", b"SIF_MAGIC", b"01", arch, b"u" * 16),
        *(0, 0, 46, 48, 4096, 585 * 48, 32768, place + len(data) - 32768),
    )
    with out.open("wb") as file:
        file.write(head)
        file.seek(4096)
        file.write(b"".join(used))
        file.seek(32768)
        file.write(b"From")
        file.seek(place)
        file.write(data)
    return out


def _descriptor(kind: int, place: int, size: int, extra: bytes) -> bytes:
    common = (kind, True, kind, 0xF0000001, 0, place, size, size, 0, 0, 0, 0, b"name", extra)
    return struct.pack("<i?IIIqqqqqqq128s384s", *common)


def build(image: Path, folder: Path) -> tuple[Path, Path]:
    """Make tree and chunk table of an image in a folder, as a run does; return them."""
    index, tree, table = folder / "index", folder / "tree", folder / "layer-chunks"
    fd = os.open(image, os.O_RDONLY)
    try:
        window = Window(fd, 0, os.fstat(fd).st_size, str(image))
        write_layer(SquashfsImage(window, str(image)), str(image), index, table)
    finally:
        os.close(fd)
    trees.build([index], tree)
    return tree, table


def read_back(tree_path: Path, table: Path) -> tuple[Listing, dict[bytes, bytes]]:
    """Return the listing of what was built, and the contents of its files."""
    contents: dict[bytes, bytes] = {}
    with Tree.open(tree_path) as tree, TarContents([table]) as lower:
        for path, inode in tree.walk():
            if inode.mode & 0o170000 == 0o100000:
                extents = tree.extents(inode.ino) if inode.sparse else ()
                contents[path] = lower.read(inode, extents, 0, inode.size)
        return list_tree(tree), contents


def by_unsquashfs(image: Path, out: Path) -> tuple[Listing, dict[bytes, bytes]]:
    """Return the same, as unsquashfs extracts it: all that an ordinary user can be given."""
    command = ["unsquashfs", "-no-progress", "-quiet", "-d", out, image]
    subprocess.run(command, check=False, capture_output=True)  # it may not make devices
    found = list_folder(out)
    contents = {
        path: Path(os.fsdecode(os.path.join(os.fsencode(out), path))).read_bytes()
        for path, item in found.items()
        if item.mode & 0o170000 == 0o100000
    }
    return found, contents


def comparable(listing: Listing) -> Listing:
    """Return what an extraction by an ordinary user keeps of each object."""
    return {
        path: item._replace(uid=0, gid=0, mode=item.mode & ~0o6000)
        for path, item in listing.items()
    }
