"""`rootless.image.load`: all images of a source with all that they need, or nothing."""

import gzip
import lzma
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import images
import loading
import pytest

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image import gc, lock, names
from rootless.image.load import LoadedImage, load
from rootless.image.lock import STORE_LOCK
from rootless.image.store import Store
from rootless.oci.descriptor import Platform
from rootless.oci.digest import Digest, sha256_of

LAYERS = [images.small_layer(), images.LayerBuilder().file("big", bytes(range(256)) * 8000)]
IMAGE_ID = images.digest(images.image_config(LAYERS))
PIC = LoadedImage(("localhost/pic:latest",), Digest(IMAGE_ID))


def source(form: str, folder: Path) -> str:
    """Write the image `pic` in one of the forms; return its path."""
    if form == "layout":
        return str(images.oci_layout(folder / "pic", LAYERS, tag="pic"))
    if form == "oci archive":
        return str(images.oci_archive(folder / "pic.tar", LAYERS, tag="pic"))
    path = images.docker_archive(folder / "pic.tar", LAYERS, names=["localhost/pic"])
    if form == "docker archive, gzip":
        path.write_bytes(gzip.compress(path.read_bytes(), 1))
    if form == "docker archive, xz":
        path.write_bytes(lzma.compress(path.read_bytes(), preset=0))
    return str(path)


FORMS = ["layout", "oci archive", "docker archive", "docker archive, gzip", "docker archive, xz"]


@contextmanager
def standard_input(path: str) -> Iterator[None]:
    """Have a file as standard input, which cannot be read twice."""
    with pytest.MonkeyPatch.context() as patch, open(path, encoding="latin-1") as file:
        patch.setattr(sys, "stdin", file)
        yield


def refusal(
    store: Store, text: str, kind: type[Exception] = InvalidInput, **options: Platform | str
) -> Exception:
    """Return the error of a load; the store is as before."""
    store.lock_path(STORE_LOCK).touch()  # it stays, between loads
    before = loading.listing(store.root)
    with pytest.raises(kind) as caught:
        load(store, text, **options)  # type: ignore[arg-type]
    assert loading.listing(store.root) == before
    return caught.value


@pytest.mark.parametrize("form", FORMS)
def test_each_form(form: str, store: Store, tmp_path: Path) -> None:
    """Whatever an image comes in, the same name leads to the same config, layers and tree."""
    assert load(store, source(form, tmp_path)) == [PIC]
    image = names.resolve(store, "pic")
    assert image.config_digest == IMAGE_ID
    assert [store.blob_path(d).read_bytes() for d in image.config.diff_ids] == [
        layer.tar() for layer in LAYERS
    ]
    assert gc.collect(store) == 0
    assert len(os.listdir(store.root / "trees")) == 1


@pytest.mark.parametrize("form", FORMS[1:])
def test_standard_input(form: str, store: Store, tmp_path: Path) -> None:
    """`-` is an archive that goes by."""
    with standard_input(source(form, tmp_path)):
        assert load(store, "-") == [PIC]


def test_no_standard_input(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a standard input there is nothing to load."""
    monkeypatch.setattr(sys, "stdin", None)
    assert "nothing to load: standard input is closed" in str(refusal(store, "-"))


@pytest.mark.parametrize("prefix", ["", "oci:", "oci-archive:", "docker-archive:"])
@pytest.mark.parametrize("name", ["a", "with:colon", "a:1:2"])
def test_where_the_path_ends(prefix: str, name: str, store: Store, tmp_path: Path) -> None:
    """`PREFIX:PATH:NAME` is split where the path exists, be there colons in it or not."""
    path = images.oci_layout(tmp_path / name, LAYERS[:1], tag="one")
    images.oci_layout(path, LAYERS, tag="pic")
    assert load(store, f"{prefix}{path}:pic") == [PIC]


def test_a_path_that_looks_like_a_prefix(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of that name is meant before the prefix is."""
    monkeypatch.chdir(tmp_path)
    images.oci_layout(tmp_path / "oci:pic", LAYERS, tag="pic")
    assert load(store, "oci:pic") == [PIC]


def test_what_is_not_there(store: Store, tmp_path: Path) -> None:
    """A path that is missing and a name that is missing are told apart."""
    path = source("layout", tmp_path)
    error = refusal(store, f"{tmp_path}/none:pic", NotFound)
    assert str(error).startswith(f"no such file or folder: {tmp_path}/none:pic (give an OCI")
    error = refusal(store, f"{path}:other", NotFound)
    assert str(error) == f"no such image in the layout: {path}:other"


@pytest.mark.needs_user
def test_a_file_that_may_not_be_read(store: Store, tmp_path: Path) -> None:
    """What the kernel says about the file is passed on with its path."""
    path = source("docker archive", tmp_path)
    os.chmod(path, 0)
    assert str(refusal(store, path, NotFound)) == f"cannot be read: {path}: permission denied"


def test_a_tar_that_looks_like_bzip2(store: Store, tmp_path: Path) -> None:
    """An archive whose first member is called `BZh…` is a plain tar, in a file and in a pipe."""
    path = source("docker archive", tmp_path)
    first = images.LayerBuilder().file("BZh9", b"x").tar(end=b"")
    Path(path).write_bytes(first + Path(path).read_bytes())
    assert load(store, path) == [PIC]
    with standard_input(path):
        assert load(store, "-") == [PIC]


def test_another_name(store: Store, tmp_path: Path) -> None:
    """A name given with the load replaces the image's own; it must be one image's."""
    path = source("layout", tmp_path)
    assert load(store, path, name="quay.io/me/it:1") == [
        LoadedImage(("quay.io/me/it:1",), Digest(IMAGE_ID))
    ]
    with pytest.raises(NotFound):
        names.resolve(store, "pic")
    images.oci_layout(Path(path), LAYERS[:1], tag="second")
    error = refusal(store, path, name="it")
    assert str(error) == f"one name for several images: it ({path} has 2; name one as {path}:NAME)"
    assert "must be lower case" in str(refusal(store, path, name="IT"))


def test_another_platform(store: Store, tmp_path: Path) -> None:
    """A platform that an index does not have is refused with those that it has."""
    layout = images.Layout(tmp_path / "pic")
    descriptor = layout.add_image(LAYERS[:1], tag=None)
    (layout.path / "index.json").unlink()
    for name in ("riscv64", "arm64"):
        layout.add_to_index({**descriptor, "platform": {"os": "linux", "architecture": name}})
    error = refusal(store, str(layout.path), platform=Platform("linux", "s390x"))
    assert str(error) == (
        "image has no manifest for the platform: linux/s390x (it has linux/arm64, linux/riscv64)"
    )
    assert len(load(store, str(layout.path), platform=Platform("linux", "arm64"))) == 1


@pytest.mark.parametrize("form", ["layout", "oci archive", "stream"])
def test_all_or_nothing(form: str, store: Store, tmp_path: Path) -> None:
    """Where the last layer of the last image is wrong, not even the first image is kept."""
    path = Path(source("layout", tmp_path))
    bad = images.LayerBuilder().file("bad", b"x" * 2_000_000)
    config = images.image_config([LAYERS[0], b"another"])
    images.Layout(path).add_image([LAYERS[0], bad], tag="bad", config_bytes=config)
    archive = tmp_path / "two.tar"
    archive.write_bytes(images.folder_tar(path))
    if form == "stream":
        with standard_input(str(archive)):
            error = refusal(store, "-", IntegrityError)
    else:
        error = refusal(store, str(path if form == "layout" else archive), IntegrityError)
    assert "wrong diff ID" in str(error)
    assert loading.objects(store.root) == set()


@pytest.mark.parametrize("form", ["layout", "docker archive", "docker archive, gzip"])
def test_again_writes_nothing(form: str, store: Store, tmp_path: Path) -> None:
    """What is there already is neither read in nor written again."""
    path = source(form, tmp_path)
    load(store, path)
    before = loading.listing(store.root)
    assert load(store, path) == [PIC]
    assert set(loading.listing(store.root).items()) ^ set(before.items()) == {
        ("index.json", found["index.json"]) for found in (before, loading.listing(store.root))
    }


class Told:
    """Notes what a load says."""

    def __init__(self) -> None:
        self.layers: list[tuple[str, int | None]] = []
        self.bytes = 0

    def layer(self, name: str, total: int | None) -> None:
        """Note a layer."""
        self.layers.append((name, total))

    def advance(self, n: int) -> None:
        """Note bytes."""
        self.bytes += n


def test_tells_its_progress(store: Store, tmp_path: Path) -> None:
    """Each layer is told with its size as it comes, and every byte of it."""
    told = Told()
    load(store, source("docker archive", tmp_path), progress=told)
    assert [size for _, size in told.layers] == [len(layer.tar()) for layer in LAYERS]
    assert told.bytes == sum(len(layer.tar()) for layer in LAYERS)


@pytest.mark.parametrize("form", ["layout", "docker archive, gzip"])
@pytest.mark.parametrize("what", ["config", "manifest"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_again_mends_the_store(
    form: str, what: str, how: str, store: Store, tmp_path: Path
) -> None:
    """A document of the store that is gone or damaged comes back with the same load."""
    path = source(form, tmp_path)
    load(store, path)
    (entry,) = names.entries(store)
    blob = store.blob_path(entry.config_digest if what == "config" else entry.manifest_digest)
    if how == "missing":
        blob.unlink()
    else:
        blob.write_bytes(blob.read_bytes()[:-1] + b" ")
    with pytest.raises((NotFound, IntegrityError), match="load the image again"):
        names.resolve(store, "pic")
    load(store, path)
    assert names.resolve(store, "pic").config_digest == IMAGE_ID


def test_a_collection_that_was_due(store: Store, tmp_path: Path) -> None:
    """What a removal had to leave beside a load goes when the load has ended."""
    with lock.shared(store.lock_path(STORE_LOCK)), pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "_PATIENCE_S", 0)
        store.write_blob(b"needed by nobody")
        gc.collect(store)
    load(store, source("layout", tmp_path))
    assert not store.blob_path(sha256_of(b"needed by nobody")).exists()


def test_a_damaged_stream(store: Store, tmp_path: Path) -> None:
    """A compressed archive that breaks off leaves nothing, whatever came before."""
    path = Path(source("docker archive, gzip", tmp_path))
    data = path.read_bytes()
    for size in (len(data) - 1, len(data) // 2, 5):
        path.write_bytes(data[:size])
        refusal(store, str(path), IntegrityError)
        with standard_input(str(path)):
            refusal(store, "-", IntegrityError)
