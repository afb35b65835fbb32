"""`rootless.image.verify` of layers that are no plain tars: compressed, or not all there."""

import hashlib
from pathlib import Path

import chunks
import images
import pytest

from fuse.chunk_table import RAW, ChunkTable, ChunkTableWriter
from fuse.index import IndexBuilder
from rootless.image import gc, names, trees
from rootless.image.fault import INDEX, LAYER, TREE
from rootless.image.load import load
from rootless.image.store import LAZY_CHUNKS, LAZY_INDEX, Store
from rootless.image.verify import Report, VerifyOptions, verify
from rootless.oci.digest import sha256_of

LAYER_OF = images.LayerBuilder().file("etc/passwd", b"root" * 20_000)
DIFF_ID = sha256_of(LAYER_OF.tar())
REPAIR = VerifyOptions(repair=True)


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    """A store with the image `a`."""
    load(store, str(images.oci_layout(tmp_path / "a", [LAYER_OF], tag="a")))
    return store


@pytest.fixture
def coded(loaded: Store, tmp_path: Path) -> Store:
    """The same, its layer compressed."""
    tar = loaded.blob_path(DIFF_ID)
    copy = tmp_path / "copy.tar"
    copy.write_bytes(tar.read_bytes())
    with ChunkTable(chunks.code(copy)) as made:
        digest = loaded.write_blob(Path(made.data).read_bytes())
        data = f"../../blobs/sha256/{digest[7:]}"
        with ChunkTableWriter(loaded.coded_path(DIFF_ID), data=data, kind="test") as writer:
            for chunk in made.chunks():
                writer.add(*chunk[1:3], place=chunk[3], stored=chunk[4], codec=chunk[5])
            writer.finish()
    tar.unlink()
    return loaded


@pytest.fixture
def lazy(loaded: Store) -> Store:
    """The same, the second half of its layer not there yet."""
    tar = loaded.blob_path(DIFF_ID).read_bytes()
    folder = loaded.lazy_folder(DIFF_ID)
    folder.mkdir()
    with IndexBuilder(folder / LAZY_INDEX) as index:
        index.feed(tar)
        index.finish()
    half = len(tar) // 2
    with ChunkTableWriter(
        folder / LAZY_CHUNKS, data="data", present="present", kind="test"
    ) as table:
        for piece in (tar[:half], tar[half:]):
            offset = 0 if piece == tar[:half] else half
            digest = hashlib.sha256(piece).digest()
            size = len(piece)
            table.add(offset, size, place=offset, stored=size, codec=RAW, digest=digest)
        table.finish()
    (folder / "data").write_bytes(tar[:half])
    (folder / "present").write_bytes(b"\1\0")
    loaded.blob_path(DIFF_ID).unlink()
    loaded.index_path(DIFF_ID).unlink()
    trees.ensure_tree(loaded, names.resolve(loaded, "a").config)
    gc.collect(loaded)
    return loaded


def kinds(report: Report) -> list[tuple[str, bool]]:
    """Return of each fault its kind, and whether it was put right."""
    return [(fault.kind, fault.repaired) for fault in report.faults]


def blob_of(store: Store) -> Path:
    """Return the file with the compressed bytes."""
    with ChunkTable(store.coded_path(DIFF_ID)) as table:
        return Path(table.data)


@pytest.mark.parametrize("options", [VerifyOptions(), VerifyOptions(quick=True)])
def test_compressed(coded: Store, options: VerifyOptions) -> None:
    """What it decodes to is compared with its diff ID, and its index with that."""
    assert verify(coded, (), options).faults == []


def test_a_compressed_layer_keeps_its_blob(coded: Store) -> None:
    """A collection leaves the bytes that the chunk table names."""
    gc.collect(coded)
    assert blob_of(coded).exists()
    assert verify(coded, (), VerifyOptions()).faults == []


def test_an_index_of_a_compressed_layer(coded: Store) -> None:
    """It is made again from what the layer decodes to."""
    coded.index_path(DIFF_ID).write_bytes(b"damaged")
    assert kinds(verify(coded, (), REPAIR)) == [(INDEX, True)]
    assert verify(coded, (), VerifyOptions()).faults == []


@pytest.mark.parametrize("what", ["bytes", "gone", "table"])
def test_a_damaged_compressed_layer(what: str, coded: Store) -> None:
    """It is told, and makes room for one that is brought again."""
    path = coded.coded_path(DIFF_ID) if what == "table" else blob_of(coded)
    data = path.read_bytes()
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] + b"#" * (len(data) - len(data) // 2))
    assert kinds(verify(coded, (), VerifyOptions())) == [(LAYER, False)]
    assert kinds(verify(coded, (), REPAIR)) == [(LAYER, False)]
    assert not coded.has_layer(DIFF_ID)
    assert not coded.coded_path(DIFF_ID).exists()


@pytest.mark.parametrize("options", [VerifyOptions(), VerifyOptions(quick=True)])
def test_not_all_there(lazy: Store, options: VerifyOptions) -> None:
    """What is there is checked piece by piece; what is not is no fault."""
    report = verify(lazy, (), options)
    assert report.faults == []
    assert report.trees == 1


def test_a_damaged_piece(lazy: Store) -> None:
    """A piece with another digest is told; the layer is to come again as a whole."""
    folder = lazy.lazy_folder(DIFF_ID)
    (folder / "data").write_bytes(b"#" * (folder / "data").stat().st_size)
    report = verify(lazy, (), REPAIR)
    assert kinds(report) == [(LAYER, False)]
    assert "1 of its pieces" in report.faults[0].what
    assert not folder.exists()


def test_a_tree_over_pieces(lazy: Store) -> None:
    """It has another name than one over tars, and is made again as well."""
    (tree,) = (lazy.root / "trees").glob("*.lazy.*")
    tree.write_bytes(b"damaged")
    assert kinds(verify(lazy, (), REPAIR)) == [(TREE, True)]
    assert verify(lazy, (), VerifyOptions()).faults == []
