"""`rootless.image.ingest`: a layer is what it must be, or nothing of it stays."""

import gzip
import io
import os
from pathlib import Path

import images
import loading
import pytest
import trees as judged

from rootless.errors import IntegrityError, StoreError
from rootless.image import gc, trees
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.store import Store
from rootless.oci.digest import Digest, sha256_of

TAR = images.small_layer().tar()
OTHER = sha256_of(b"another")


def staged(store: Store, data: bytes, expected: Expected | None = None) -> StagedLayer:
    """Ingest what is called `blob`."""
    return ingest(store, io.BytesIO(data), "blob", expected or Expected())


def refusal(store: Store, data: bytes, expected: Expected | None = None) -> IntegrityError:
    """Return the error about a layer; nothing of it is in the store."""
    before = loading.listing(store.root)
    with pytest.raises(IntegrityError) as caught:
        staged(store, data, expected)
    assert loading.listing(store.root) == before
    return caught.value


@pytest.mark.parametrize("compression", images.COMPRESSORS)
def test_what_it_says(compression: str, store: Store) -> None:
    """The digests and sizes are those of the layer as it came and of the plain tar."""
    data = images.COMPRESSORS[compression](TAR)
    expected = Expected(sha256_of(data), len(data), sha256_of(TAR))
    layer = staged(store, data, expected)
    assert (layer.diff_id, layer.size) == (sha256_of(TAR), len(TAR))
    assert (layer.source_digest, layer.source_size) == (sha256_of(data), len(data))
    assert layer.tar.path.read_bytes() == TAR
    layer.close()


def test_the_index_is_that_of_the_tar(store: Store, tmp_path: Path) -> None:
    """A tree out of the staged index shows what a tree out of the tar shows."""
    layer = staged(store, TAR)
    trees.build([layer.index.path], tmp_path / "tree")
    layer.close()
    want = judged.listing(judged.build_tree(tmp_path / "want", [TAR]))
    assert judged.listing(tmp_path / "tree") == want


def test_it_has_no_name_yet(store: Store) -> None:
    """Until somebody keeps it a layer is two temporary files, which a sweep leaves alone."""
    layer = staged(store, TAR)
    assert len(loading.temp_files(store.root)) == 2
    assert gc.sweep(store) == 0
    assert not store.has_layer(layer.diff_id)
    layer.close()
    assert loading.temp_files(store.root) == []
    layer.close()


def test_tells_how_far_it_is(store: Store) -> None:
    """Progress counts the bytes as they came, up to the last one."""
    data = gzip.compress(TAR)
    told: list[int] = []
    ingest(store, io.BytesIO(data), "blob", Expected(), told.append).close()
    assert sum(told) == len(data)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Expected(digest=OTHER), f"wrong digest: blob (the content is {sha256_of(TAR)})"),
        (
            Expected(size=7),
            f"wrong size: blob (the content has {len(TAR)} bytes, the manifest says 7)",
        ),
        (
            Expected(diff_id=OTHER),
            f"wrong diff ID: blob (the config says {OTHER}, the tar is {sha256_of(TAR)})",
        ),
        (Expected(OTHER, 7, OTHER), f"wrong digest: blob (the content is {sha256_of(TAR)})"),
    ],
)
def test_another_layer(expected: Expected, text: str, store: Store) -> None:
    """A layer that is not the expected one is refused with both values, the digest first."""
    assert str(refusal(store, TAR, expected)) == text


def test_no_layer_at_all(store: Store) -> None:
    """What is no tar is said to be none, by its name."""
    error = refusal(store, b"<html>not found</html>" * 100)
    assert error.what == "not a valid layer"
    assert error.on.startswith("blob: ")


def test_a_layer_that_breaks_off(store: Store) -> None:
    """A tar without its last member's content is refused, and so is compressed data."""
    tar = images.LayerBuilder().file("f", b"x" * 5000).tar(end=b"")
    assert refusal(store, tar[:-2000]).what == "not a valid layer"
    assert refusal(store, gzip.compress(tar)[:-4]).what == "gzip data ends early"


@pytest.mark.parametrize("data", [b"<html>" * 1000, gzip.compress(TAR, mtime=0)[:-4]])
def test_damage_is_blamed_on_the_digest(data: bytes, store: Store) -> None:
    """Damaged data that also has a wrong digest is another file: that is what helps."""
    error = refusal(store, data, Expected(OTHER))
    assert str(error) == f"wrong digest: blob (the content is {sha256_of(data)})"


def test_damage_with_the_right_digest(store: Store) -> None:
    """Damaged data that is exactly what was asked for is called damaged."""
    data = gzip.compress(TAR)[:-4]
    assert refusal(store, data, Expected(sha256_of(data))).what == "gzip data ends early"


def test_a_hostile_name_is_not_written(store: Store, tmp_path: Path) -> None:
    """A member that leads out of the root is refused, and nothing appears outside."""
    tar = images.LayerBuilder().file("../../../outside", b"x").tar()
    assert refusal(store, tar).what == "not a valid layer"
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("folder", ["blobs/sha256", "layers/sha256"])
def test_a_store_that_lacks_a_folder(folder: str, store: Store) -> None:
    """Where one of the two files cannot be made, the other one does not stay."""
    os.rmdir(store.root / folder)
    with pytest.raises(StoreError) as caught:
        staged(store, TAR)
    assert caught.value.what == "no such file or directory"
    assert caught.value.on.startswith(str(store.root / folder))
    assert loading.temp_files(store.root) == []


def test_expects_nothing() -> None:
    """Where nobody said what a layer is, any digest will do."""
    Expected().check_digest(Digest("sha256:any"), "blob")
