"""Synthetic images, loaded into a store and unpacked for the peers, with what a walk must find.

Tars are written to disk layer by layer and become blobs of an OCI layout by rename: images of a
gigabyte never lie in memory.
"""

import hashlib
import io
import json
import math
import os
import random
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import images
from measure import rootless, run

from rootless.image import names, trees
from rootless.image.store import Store
from rootless.linux.namespaces import CLONE_NEWNS, unshare
from rootless.paths import Paths
from rootless.userns.create import run_inside
from rootless.userns.maps import Maps

PAGE = 4096
FILES_IN_A_FOLDER = 8
_HALF_ARE_SMALLER = 2048
_LARGEST_SMALL = 128 << 10
_OPAQUE = "user.overlay.opaque"
_NOISE = random.Random(39).randbytes(1 << 20)

Layer = Callable[[tarfile.TarFile], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image as every contender can mount it.

    Attributes:
        folder: Holds everything of it: the store, the unpacked layers and the mounts' folders.
        tree: The merged tree in the store.
        layers: The layers' tars in the store, lowest first.
        unpacked: The layers as folders, lowest first.
        entries: How many objects the merged image has, its root and devices not counted.
        size: Bytes in its regular files.
    """

    folder: Path
    tree: Path
    layers: tuple[Path, ...]
    unpacked: tuple[Path, ...]
    entries: int
    size: int


def small_size(numbers: random.Random) -> int:
    """Return the size of one file of a distribution: half are below 2 KiB, the mean is near 7."""
    return min(_LARGEST_SMALL, int(numbers.lognormvariate(math.log(_HALF_ARE_SMALLER), 1.7)))


def small_files(files: int, count: int) -> list[Layer]:
    """Return layers that share the files: every folder has some of several layers."""
    numbers = random.Random(files)
    sizes = [small_size(numbers) for _ in range(files)]

    def layer(which: int, tar: tarfile.TarFile) -> None:
        seen: set[str] = set()
        for number in range(which, files, count):
            folder = number // FILES_IN_A_FOLDER
            path = f"usr/share/p{folder // 25:04}/d{folder:05}"
            _directories(tar, path, seen)
            _file(tar, f"{path}/file{number:06}.txt", number, sizes[number])

    return [lambda tar, which=which: layer(which, tar) for which in range(count)]


def entries(removed: int, total: int) -> list[Layer]:
    """Return one layer of that many objects, of which `removed` lie below `remove`."""

    def layer(tar: tarfile.TarFile) -> None:
        seen: set[str] = set()
        for top, wanted in (("remove", removed), ("keep", total - removed)):
            before = len(seen)
            files = 0
            while len(seen) - before + files < wanted:
                path = f"{top}/p{files // 1000:04}/d{files // 50:05}"
                _directories(tar, path, seen)
                if len(seen) - before + files < wanted:
                    _file(tar, f"{path}/file{files:06}", files, files % 700)
                    files += 1

    return [layer]


def big_files(**sizes: int) -> list[Layer]:
    """Return one layer with large files; each page of one begins with its own number."""

    def layer(tar: tarfile.TarFile) -> None:
        for name, size in sizes.items():
            member = tarfile.TarInfo(name)
            member.size = size
            tar.addfile(member, io.BufferedReader(_NumberedPages(size), 1 << 20))

    return [layer]


def write_layout(folder: Path, layers: Sequence[Layer], tag: str) -> Path:
    """Write an OCI layout with one image of uncompressed layers; return its path."""
    layout = images.Layout(folder)
    descriptors = []
    for layer in layers:
        plain = folder / "layer.tar"
        with tarfile.open(plain, "w", format=tarfile.PAX_FORMAT) as tar:
            layer(tar)
        with plain.open("rb") as file:
            digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        size = plain.stat().st_size
        plain.rename(layout.blob_path(digest))
        descriptors.append(
            {"mediaType": images.LAYER_TYPES["none"], "digest": digest, "size": size}
        )
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [each["digest"] for each in descriptors]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": images.MANIFEST_TYPE,
        "config": layout.add_blob(json.dumps(config).encode(), images.CONFIG_TYPE),
        "layers": descriptors,
    }
    descriptor = layout.add_blob(json.dumps(manifest).encode(), images.MANIFEST_TYPE)
    descriptor["annotations"] = {"org.opencontainers.image.ref.name": tag}
    layout.add_to_index(descriptor)
    return folder


def prepare(folder: Path, layout: Path, tag: str, maps: Maps) -> Prepared:
    """Load an image of a layout and unpack its layers; all of it is in the page cache then."""
    env = {"ROOTLESS_HOME": str(folder / "store")}
    run([rootless(), "load", "-q", f"{layout}:{tag}"], env)
    store = Store.open(Paths.from_environment(env), create=False)
    image = names.resolve(store, tag)
    layers = trees.layer_paths(store, image.config)
    unpacked = tuple(folder / f"layer{number:03}" for number in range(len(layers)))
    survey = folder / "survey"

    def child() -> None:
        unshare(CLONE_NEWNS)
        for tar, target in zip(layers, unpacked, strict=True):
            _unpack(tar, target)
        survey.write_text(json.dumps(_survey(unpacked)))

    run_inside(maps, child)
    found, size = json.loads(survey.read_text())
    for tar in layers:
        with tar.open("rb") as file:
            shutil.copyfileobj(file, _Nowhere(), 1 << 20)
    os.sync()  # what is still to be written must not be written during a measurement
    return Prepared(folder, trees.ensure_tree(store, image.config), layers, unpacked, found, size)


def _unpack(tar: Path, target: Path) -> None:
    """Extract a layer as root of a user namespace, whiteouts in overlayfs's form; no devices."""
    target.mkdir()
    with tarfile.open(tar) as archive:
        archive.extraction_filter = lambda member, _: member
        members = [member for member in archive if not member.isdev()]
        hidden = [each.name for each in members if _hides(each.name)]
        archive.extractall(
            target, [each for each in members if not _hides(each.name)], numeric_owner=True
        )
    for path in hidden:
        parent, name = target / os.path.dirname(path), os.path.basename(path)
        parent.mkdir(parents=True, exist_ok=True)
        if name == ".wh..wh..opq":
            os.setxattr(parent, _OPAQUE, b"y")
        else:
            os.mknod(parent / name.removeprefix(".wh."), stat.S_IFCHR)


def _hides(path: str) -> bool:
    return os.path.basename(path).startswith(".wh.")


def _survey(unpacked: Iterable[Path]) -> tuple[int, int]:
    """Count what the layers have together, and the bytes of what is a file at the end."""
    sizes: dict[str, int] = {}

    def hide_below(path: str) -> None:
        for below in [each for each in sizes if each.startswith(path + "/")]:
            del sizes[below]

    for folder in unpacked:
        for absolute, status in _objects(folder):
            path = os.path.relpath(absolute, folder)
            is_directory = stat.S_ISDIR(status.st_mode)
            if not is_directory and path in sizes:
                hide_below(path)
            if is_directory and _OPAQUE in os.listxattr(absolute):
                hide_below(path)
            if stat.S_ISCHR(status.st_mode):
                sizes.pop(path, None)
            else:
                sizes[path] = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return len(sizes), sum(sizes.values())


def _objects(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for parent, directories, files in os.walk(folder):
        for name in (*directories, *files):
            path = os.path.join(parent, name)
            yield path, os.lstat(path)


def _directories(tar: tarfile.TarFile, path: str, seen: set[str]) -> None:
    parents = path.split("/")
    for depth in range(1, len(parents) + 1):
        parent = "/".join(parents[:depth])
        if parent not in seen:
            seen.add(parent)
            member = tarfile.TarInfo(parent)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)


def _file(tar: tarfile.TarFile, path: str, number: int, size: int) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mtime = size, images.MTIME + number
    start = number * 641 % (len(_NOISE) - _LARGEST_SMALL)
    tar.addfile(member, io.BytesIO(_NOISE[start : start + size]))


class _NumberedPages(io.RawIOBase):
    """A stream whose every page begins with its own number, eight bytes, little-endian."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        pages = min(len(buffer), self._size - self._at) // PAGE
        first = self._at // PAGE
        filler = _NOISE[: PAGE - 8]
        content = b"".join(
            number.to_bytes(8, "little") + filler for number in range(first, first + pages)
        )
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


class _Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]
