"""`rootless.image.pack`: how a pack is written."""

import os
from pathlib import Path

import packs
import pytest

from rootless.errors import Conflict, IntegrityError, InvalidInput, NotFound, StoreError
from rootless.image import pack as module
from rootless.image.layers import PACK_PAGE, PackCodec, PackFile, PackKind
from rootless.image.names import Image
from rootless.image.pack import PackRequest, pack, parse_compression
from rootless.image.pack_reader import read_image
from rootless.image.store import Store


@pytest.fixture
def image(store: Store, tmp_path: Path) -> Image:
    """An image of two layers."""
    return packs.loaded(store, tmp_path / "layout")


@pytest.mark.parametrize(
    ("text", "level"), [("none", 0), ("zstd", 9), ("zstd:1", 1), ("zstd:22", 22)]
)
def test_compression(text: str, level: int) -> None:
    """A compression is named, with or without its level."""
    assert parse_compression(text) == level


@pytest.mark.parametrize("text", ["", "gzip", "zstd:", "zstd:0", "zstd:23", "zstd:x", "zstd:-1"])
def test_no_compression(text: str) -> None:
    """Anything else is none."""
    with pytest.raises(InvalidInput):
        parse_compression(text)


def test_sections(store: Store, image: Image, tmp_path: Path) -> None:
    """Documents come first, then the tars at page's beginnings, then the tree."""
    size = pack(store, image, tmp_path / "pack", PackRequest())
    assert (tmp_path / "pack").stat().st_size == size
    with (tmp_path / "pack").open("rb") as file:
        sections = PackFile(file.fileno(), "pack").sections
    kinds = [each.kind for each in sections]
    assert kinds == sorted(kinds, key=lambda kind: kind in (PackKind.LAYER, PackKind.TREE))
    assert kinds[-3:] == [PackKind.LAYER, PackKind.LAYER, PackKind.TREE]
    assert all(each.offset % PACK_PAGE == 0 for each in sections[-3:])
    assert [each.offset for each in sections] == sorted(each.offset for each in sections)


def test_compressed(store: Store, image: Image, tmp_path: Path) -> None:
    """Compressed layers lie in no section of their own."""
    pack(store, image, tmp_path / "pack", PackRequest(compress=3))
    with (tmp_path / "pack").open("rb") as file:
        sections = PackFile(file.fileno(), "pack").sections
    layers = [each for each in sections if each.kind == PackKind.LAYER]
    assert {(each.codec, each.stored) for each in layers} == {(PackCodec.CHUNKED, 0)}
    assert PackKind.CHUNK_TABLE in {each.kind for each in sections}


def test_a_file_is_there(store: Store, image: Image, tmp_path: Path) -> None:
    """It is replaced where that was asked for."""
    out = tmp_path / "pack"
    out.symlink_to("nowhere")
    with pytest.raises(Conflict):
        pack(store, image, out, PackRequest())
    pack(store, image, out, PackRequest(replaces=True))
    assert not out.is_symlink()


def test_without_unnamed_files(
    store: Store, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system without O_TMPFILE has the pack under another name while it is written."""
    monkeypatch.setattr(module, "open_unnamed", lambda *_: -1)
    before = {path.name for path in tmp_path.iterdir()}
    pack(store, image, tmp_path / "pack", PackRequest())
    with (tmp_path / "pack").open("rb") as file:
        assert PackFile(file.fileno(), "pack").sections
    assert {path.name for path in tmp_path.iterdir()} == {*before, "pack"}


def test_packed_already(store: Store, image: Image, tmp_path: Path) -> None:
    """An image in a file is copied, not packed."""
    out = tmp_path / "pack"
    pack(store, image, out, PackRequest())
    fd = os.open(out, os.O_RDONLY)
    with pytest.raises(Conflict, match="in a file already"):
        pack(store, read_image(fd, str(out)), tmp_path / "other", PackRequest())
    os.close(fd)


@pytest.mark.parametrize("compress", [0, 1])
def test_damaged_layer(store: Store, image: Image, tmp_path: Path, compress: int) -> None:
    """A layer of the store that is not what its name says is not packed."""
    layer = store.blob_path(image.config.diff_ids[0])
    data = bytearray(layer.read_bytes())
    data[2000] ^= 1
    layer.write_bytes(data)
    with pytest.raises(IntegrityError, match="damaged layer"):
        pack(store, image, tmp_path / "pack", PackRequest(compress=compress))
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_missing_layer(store: Store, image: Image, tmp_path: Path) -> None:
    """Nor is an image of which a layer is missing."""
    store.blob_path(image.config.diff_ids[0]).unlink()
    with pytest.raises(NotFound):
        pack(store, image, tmp_path / "pack", PackRequest())


def test_no_folder(store: Store, image: Image, tmp_path: Path) -> None:
    """A folder that is not there is said so."""
    with pytest.raises(StoreError, match="cannot write the pack: no such file or directory"):
        pack(store, image, tmp_path / "missing" / "pack", PackRequest())
