"""`rootless.image.compact`: layers compressed in place of their tars, and back."""

import gzip
import io
import os
import random
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import images
import pytest
from loading import listing, temp_files

from rootless.errors import IntegrityError, NotFound
from rootless.image import gc, names
from rootless.image.compact import Outcome, Result, compact, decoded, layers_of
from rootless.image.holds import needs_of
from rootless.image.ingest import Expected, ingest
from rootless.image.layers import ChunkTable
from rootless.image.load import load
from rootless.image.remove import remove
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.image.trees import read_file
from rootless.image.verify import VerifyOptions, verify
from rootless.oci.digest import Digest, sha256_of

TEXT = b"".join(b"line %d of a file that shrinks\n" % number for number in range(60_000))


def loaded(store: Store, folder: Path) -> tuple[Digest, bytes]:
    """Load an image of one layer; return the layer and its tar."""
    tar = images.LayerBuilder().file("etc/passwd", b"root:x:0:0::/:\n").file("text", TEXT).tar()
    load(store, str(images.oci_layout(folder / "picture", [tar])))
    return Digest(images.digest(tar)), tar


def only(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the one outcome."""
    (outcome,) = outcomes
    return outcome


def the_image(store: Store) -> names.Image:
    """Return the one image."""
    (entry,) = names.entries(store)
    return names.read_image(store, entry)


def test_there_and_back(store: Store, tmp_path: Path) -> None:
    """Less room, the same contents; and then the same store as before."""
    layer, tar = loaded(store, tmp_path)
    before = listing(store.root)
    outcome = only(compact(store, layers_of(store, ())))
    assert (outcome.result, outcome.diff_id, outcome.tar) == (Result.COMPRESSED, layer, len(tar))
    assert outcome.stored < len(tar) / 2
    assert not store.blob_path(layer).exists()
    assert store.has_layer(layer)
    assert b"".join(decoded(store.coded_path(layer))) == tar
    assert read_file(store, the_image(store), b"etc/passwd") == b"root:x:0:0::/:\n"
    assert verify(store, (), VerifyOptions()).faults == []
    assert gc.collect(store) == 0
    assert only(compact(store, [layer])).result is Result.AS_IT_WAS
    assert only(compact(store, [layer], undo=True)).result is Result.RESTORED
    assert store.blob_path(layer).read_bytes() == tar
    assert listing(store.root).keys() == before.keys()
    assert not temp_files(store.root)


def test_a_dry_run_changes_nothing(store: Store, tmp_path: Path) -> None:
    """In either direction."""
    layer, _ = loaded(store, tmp_path)
    before = listing(store.root)
    assert only(compact(store, [layer], dry_run=True)).result is Result.COMPRESSED
    assert listing(store.root) == before
    list(compact(store, [layer]))
    before = listing(store.root)
    assert only(compact(store, [layer], undo=True, dry_run=True)).result is Result.RESTORED
    assert listing(store.root) == before


def test_what_does_not_shrink_stays(store: Store, tmp_path: Path) -> None:
    """And nothing is left of the try."""
    noise = random.Random(5).randbytes(400_000)
    tar = images.LayerBuilder().file("noise", noise).tar()
    load(store, str(images.oci_layout(tmp_path / "picture", [tar])))
    before = listing(store.root)
    assert only(compact(store, layers_of(store, ()))).result is Result.NOT_SMALLER
    assert listing(store.root) == before


def test_a_damaged_layer_is_left_as_it_is(store: Store, tmp_path: Path) -> None:
    """Neither a damaged tar is compressed, nor a damaged blob restored."""
    layer, _ = loaded(store, tmp_path)
    with store.blob_path(layer).open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    with pytest.raises(IntegrityError, match="verify --repair"):
        list(compact(store, [layer]))
    assert store.blob_path(layer).exists()
    assert not store.coded_path(layer).exists()
    with store.blob_path(layer).open("r+b") as file:
        file.write(images.LayerBuilder().file("etc/passwd", b"root:x:0:0::/:\n").tar()[:100])
    gc.collect(store)


def test_a_damaged_blob_is_not_restored(store: Store, tmp_path: Path) -> None:
    """The compressed form stays for whoever can mend it."""
    layer, _ = loaded(store, tmp_path)
    list(compact(store, [layer]))
    with ChunkTable(store.coded_path(layer)) as table:
        blob = Path(table.data)
    with blob.open("r+b") as file:
        file.seek(20)
        file.write(b"damage")
    with pytest.raises(IntegrityError, match="damaged: its bytes do not decode"):
        list(compact(store, [layer], undo=True))
    assert not store.blob_path(layer).exists()
    assert store.coded_path(layer).exists()
    assert not temp_files(store.root)


def test_what_a_killed_command_left_is_finished(store: Store, tmp_path: Path) -> None:
    """A tar beside its compressed form: the tar counts, until the next time."""
    layer, tar = loaded(store, tmp_path)
    list(compact(store, [layer]))
    store.blob_path(layer).write_bytes(tar)
    assert only(compact(store, [layer])).result is Result.COMPRESSED
    assert not store.blob_path(layer).exists()
    store.blob_path(layer).write_bytes(tar)
    assert only(compact(store, [layer], undo=True)).result is Result.AS_IT_WAS
    assert not store.coded_path(layer).exists()
    # A compressed form that is not whole is made anew.
    store.coded_path(layer).write_bytes(b"half a table")
    assert only(compact(store, [layer])).result is Result.COMPRESSED
    assert b"".join(decoded(store.coded_path(layer))) == tar


def test_who_has_the_tar_open_reads_on(store: Store, tmp_path: Path) -> None:
    """Live containers have."""
    layer, tar = loaded(store, tmp_path)
    with store.blob_path(layer).open("rb") as file:
        list(compact(store, [layer]))
        assert file.read() == tar


def test_removal_takes_all_of_it(store: Store, tmp_path: Path) -> None:
    """Table and blob go with the image; a container that was made before keeps both."""
    layer, _ = loaded(store, tmp_path)
    needs = store.root / "containers" / "ab" / "needs"
    needs.parent.mkdir(parents=True)
    image = the_image(store)
    needs.write_text("\n".join(needs_of(store, image)) + "\n")
    list(compact(store, [layer]))
    (entry,) = names.entries(store)
    remove(store, [entry.reference])
    gc.collect(store)
    assert b"".join(decoded(store.coded_path(layer)))
    needs.unlink()
    gc.collect(store)
    assert os.listdir(store.root / "layers" / "sha256") == []
    assert os.listdir(store.root / "blobs" / "sha256") == []


def test_a_layer_that_came_as_gzip_keeps_what_came(store: Store, tmp_path: Path) -> None:
    """Its seek points are made on the way in; the tar goes, comes again, and what came stays."""
    layer, tar = loaded(store, tmp_path)
    store.blob_path(layer).unlink()
    source = tmp_path / "source"
    source.write_bytes(packed := gzip.compress(tar, mtime=0))
    with Transaction(store) as transaction, source.open("rb") as raw:
        staged = ingest(store, raw, "source", Expected(diff_id=layer), has_points=True)
        transaction.commit_layer(staged)
        transaction.commit_source(staged, source)
    blob = store.blob_path(sha256_of(packed))
    assert gc.collect(store) == 0
    outcome = only(compact(store, [layer]))
    assert outcome.result is Result.COMPRESSED
    assert not store.blob_path(layer).exists()
    with ChunkTable(store.coded_path(layer)) as table:
        assert os.path.samefile(table.data, blob)
        assert len(table) > 1
    assert read_file(store, the_image(store), b"etc/passwd") == b"root:x:0:0::/:\n"
    assert verify(store, (), VerifyOptions()).faults == []
    assert only(compact(store, [layer], undo=True)).result is Result.RESTORED
    assert store.blob_path(layer).read_bytes() == tar
    assert blob.exists()
    assert only(compact(store, [layer])).result is Result.COMPRESSED


def test_a_layer_that_came_plain_has_no_seek_points(store: Store) -> None:
    """Nothing is kept twice."""
    tar = io.BytesIO(images.small_layer().tar())
    with closing(ingest(store, tar, "it", Expected(), has_points=True)) as staged:
        assert staged.points is None
        assert len(temp_files(store.root)) == 2
    assert not temp_files(store.root)


def test_images_that_are_not_there(store: Store) -> None:
    """Are named."""
    with pytest.raises(NotFound, match="nothing-like-it"):
        layers_of(store, ["nothing-like-it"])
