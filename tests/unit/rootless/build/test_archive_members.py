"""`rootless.build.archive_members`: what ADD makes of an archive."""

import bz2
import gzip
import lzma
import os
import threading
from collections.abc import Callable
from pathlib import Path

import copying
import images
import pytest
import trees
import zstandard

from rootless.errors import BuildError

LAYER = (
    images.LayerBuilder()
    .directory("top", mode=0o750, uid=11, gid=12)
    .file("top/su", b"hello", mode=0o4755, uid=11, gid=12, xattrs={"user.x": b"y"})
    .symlink("top/l", "../x")
    .hard_link("top/h", "top/su")
    .file("/abs/g", b"g" * 1500)
    .file("./dot", b"")
)
NOISE = os.urandom(9000)
MEMBERS = [
    "folder 755 0:0 x",
    "folder 750 11:12 x/top",
    "file 4755 11:12 x/top/su = hello",
    "link 777 0:0 x/top/l -> ../x",
    "name 644 0:0 x/top/h -> x/top/su",
    "folder 755 0:0 x/abs",
    f"file 644 0:0 x/abs/g = {'g' * 60}",
    "file 644 0:0 x/dot = ",
]


@pytest.mark.parametrize(
    "compress",
    [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard.compress],
    ids=["plain", "gzip", "bzip2", "xz", "zstd"],
)
def test_any_compression(
    stage: copying.Stage, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """By ADD an archive is unpacked whatever its name, by COPY it is a file."""
    context = stage.context(tmp_path / "c", ("a",))
    (tmp_path / "c/a").write_bytes(compress(LAYER.tar()))
    tar = stage.tar("ADD a /x", context)
    assert copying.shown(tar) == MEMBERS
    assert b"SCHILY.xattr.user.x=y" in tar
    assert copying.paths(stage.tar("COPY a /y", context)) == ["y"]


def test_what_is_no_archive(stage: copying.Stage, tmp_path: Path) -> None:
    """Compressed files that hold no tar, zeros, and a tar in a folder stay files."""
    context = stage.context(tmp_path / "c", ("d/in.tar", "cut.gz", "short"))
    (tmp_path / "c/d/in.tar").write_bytes(LAYER.tar())
    (tmp_path / "c/plain.gz").write_bytes(gzip.compress(b"no tar" * 200))
    (tmp_path / "c/cut.gz").write_bytes(gzip.compress(os.urandom(5000))[:300])
    (tmp_path / "c/zeros").write_bytes(bytes(4096))
    assert copying.paths(stage.tar("ADD d plain.gz cut.gz zeros short /x/", context)) == [
        *("x", "x/in.tar", "x/plain.gz", "x/cut.gz", "x/zeros", "x/short")
    ]
    (tmp_path / "c/a.tar").write_bytes(LAYER.tar())
    assert copying.paths(stage.tar("ADD --unpack=false a.tar /y/", context)) == ["y", "y/a.tar"]


def test_among_other_things(stage: copying.Stage, tmp_path: Path) -> None:
    """What is named after an archive comes after it; --chown is of what is made for it."""
    context = stage.context(tmp_path / "c", ("dot",))
    (tmp_path / "c/a.tar").write_bytes(LAYER.tar())
    lines = stage.do("ADD --chown=5:6 a.tar dot /x/", context)
    assert lines[0] == "folder 755 5:6 x"
    assert "folder 755 5:6 x/abs" in lines
    assert lines[-2:] == ["file 644 0:0 x/dot = ", "file 644 5:6 x/dot = dot"]


def test_links_of_the_image(stage: copying.Stage, tmp_path: Path) -> None:
    """A folder that the archive does not name is where the image has it."""
    stage.on(images.LayerBuilder().directory("usr/lib").symlink("lib", "usr/lib").file("plain"))
    context = stage.context(tmp_path / "c")
    archive = images.LayerBuilder().file("lib/a").file("plain/b").file("new/c")
    archive.hard_link("h", "lib/a")
    (tmp_path / "c/a.tar").write_bytes(archive.tar())
    assert stage.do("ADD a.tar /", context) == [
        "folder 755 0:0 usr",
        "folder 755 0:0 usr/lib",
        "file 644 0:0 usr/lib/a = ",
        "folder 755 0:0 plain",
        "file 644 0:0 plain/b = ",
        "folder 755 0:0 new",
        "file 644 0:0 new/c = ",
        "name 644 0:0 h -> usr/lib/a",
    ]
    (tmp_path / "c/a.tar").write_bytes(images.LayerBuilder().directory("lib").file("lib/a").tar())
    assert copying.paths(stage.tar("ADD a.tar /", context)) == ["lib", "lib/a"]


def test_links_of_its_own(stage: copying.Stage, tmp_path: Path) -> None:
    """A member below a link of the archive is left to where that leads inside the image."""
    context = stage.context(tmp_path / "c")
    archive = images.LayerBuilder().symlink("l", "/etc").file("l/f", b"x")
    (tmp_path / "c/a.tar").write_bytes(archive.tar())
    assert copying.paths(stage.tar("ADD a.tar /x/", context)) == ["x", "x/l", "x/l/f"]


def test_a_reader_that_gives_up(stage: copying.Stage, tmp_path: Path) -> None:
    """A layer that another thread began to read can be let go of, as where the disk is full."""
    stage.on(images.LayerBuilder().directory("usr"))
    context = stage.context(tmp_path / "c")
    (tmp_path / "c/a.tar").write_bytes(images.LayerBuilder().file("usr/a", NOISE).tar())
    with stage.plan("ADD a.tar /", context).layer(now_ns=0) as tar:
        thread = threading.Thread(target=tar.read, args=(1024,))
        thread.start()
        thread.join()


def test_holes(stage: copying.Stage, tmp_path: Path) -> None:
    """A sparse file of an archive takes no more room than it did, wherever chunks end."""
    with (tmp_path / "log").open("wb") as file:
        file.truncate(1 << 34)
        file.seek(1 << 33)
        file.write(b"data" * 500_000)
    first = copying.Stage(stage.store)
    packed = first.tar("COPY log /", stage.context(tmp_path))
    (tmp_path / "c").mkdir()
    (tmp_path / "c/a.tar").write_bytes(packed)
    tar = stage.tar("ADD a.tar /x/", stage.context(tmp_path / "c"))
    entry, _, extents = trees.parse(tar)[-1]
    assert (entry.path, entry.size) == (b"x/log", 1 << 34)
    at = next(at + (1 << 33) - start for start, size, at in extents if start + size > 1 << 33)
    assert tar[at:][: 4 * 500_000] == b"data" * 500_000
    assert len(tar) < 3 << 20


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (images.LayerBuilder().file("../evil").tar(), "the archive is damaged: a.tar: .*`..`"),
        (images.LayerBuilder().file("ok", b"x" * 9000).tar()[:4000], "the archive is damaged"),
        (images.LayerBuilder().whiteout("d/f").tar(), r"name cannot be in an image: /x/d/\.wh\.f"),
        (images.LayerBuilder().opaque("d").tar(), r"name cannot be in an image: /x/d/\.wh\.\.wh"),
        (images.LayerBuilder().file(".wh.d/f").tar(), r"name cannot be in an image: /x/\.wh\.d"),
        (
            gzip.compress(images.LayerBuilder().file("f", NOISE).tar())[:-50],
            "ends early",
        ),
    ],
)
def test_hostile(stage: copying.Stage, tmp_path: Path, archive: bytes, message: str) -> None:
    """What is damaged, or would take something away, is refused with file and line."""
    context = stage.context(tmp_path / "c")
    (tmp_path / "c/a.tar").write_bytes(archive)
    with pytest.raises(BuildError, match=f"^Containerfile:1: .*{message}"):
        stage.do("ADD a.tar /x/", context)
