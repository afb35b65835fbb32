"""`rootless.transfer.send`: what is sent, what is not sent again, and which manifest goes out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import images
import pytest
import trio

from rootless.errors import InvalidInput
from rootless.image import names
from rootless.image.load import load
from rootless.image.store import Store
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, sha256_of
from rootless.oci.manifest import Manifest, parse_manifest
from rootless.transfer.compression import GZIP, Compression
from rootless.transfer.destination import Advance, MakeBlob, OpenAt
from rootless.transfer.layer_tar import KeptBlob
from rootless.transfer.made_layers import Made, MadeLayers
from rootless.transfer.outgoing import OutgoingImage, SentLayer, of_store
from rootless.transfer.progress import Progress, Silent
from rootless.transfer.send import Sender, SendOptions, retyped

LAYERS = [images.small_layer().tar(), images.LayerBuilder().file("b", b"b" * 3000).tar()]


class Shelf:
    """A destination in memory, which tells what it was given."""

    where = "shelf"
    repositories = ("h.example/shelf",)

    def __init__(self, *held: Digest, parallel: int = 3) -> None:
        self.held = set(held)
        self.parallel = parallel
        self.made: list[SentLayer] = []
        self.manifests: dict[str, tuple[bytes, str]] = {}

    async def holds(self, descriptor: Descriptor) -> bool:
        """Return whether a blob is there."""
        return descriptor.digest in self.held

    async def put(self, descriptor: Descriptor, open_at: OpenAt, advance: Advance) -> None:
        """Take a blob."""
        with open_at(0) as stream:
            data = stream.read() or b""
        advance(len(data))
        assert sha256_of(data) == descriptor.digest
        self.held.add(descriptor.digest)

    async def make(self, make_blob: MakeBlob, progress: Progress) -> SentLayer:
        """Take a blob that is made."""
        del progress
        sent = await trio.to_thread.run_sync(make_blob, lambda _: None)
        self.made.append(sent)
        self.held.add(sent.descriptor.digest)
        return sent

    async def put_manifest(self, data: bytes, media_type: str, given: Sequence[str] | None) -> None:
        """Take a manifest."""
        for name in given or ():
            self.manifests[name] = (data, media_type)

    async def finish(self) -> None:
        """Nothing is left to do."""


def loaded(store: Store, folder: Path, compression: str = "gzip") -> OutgoingImage:
    """Load an image; return it as it goes out."""
    layout = images.oci_layout(folder / "pic", LAYERS, tag="pic", compression=compression)
    load(store, str(layout))
    return of_store(store, names.resolve(store, "pic"))


def send(
    shelf: Shelf,
    image: OutgoingImage,
    options: SendOptions | None = None,
    memory: MadeLayers | None = None,
    known: dict[Digest, list[Descriptor]] | None = None,
) -> Manifest:
    """Send an image; return the manifest that went out."""
    sender = Sender(shelf, options or SendOptions(GZIP), Silent(), memory, known)
    digest = trio.run(sender.send, image, ["name"])
    data, _ = shelf.manifests["name"]
    assert sha256_of(data) == digest
    manifest = parse_manifest(data)
    missing = {each.digest for each in (manifest.config, *manifest.layers)} - shelf.held
    assert not missing
    return manifest


def blobs(image: OutgoingImage) -> list[Digest]:
    """Return the digests of the layers as an image came with them."""
    assert image.original is not None
    return [layer.digest for layer in image.original.manifest.layers]


@pytest.mark.parametrize("parallel", [1, 3])
def test_new_layers_are_made_in_order(store: Store, tmp_path: Path, parallel: int) -> None:
    """One after the other where the destination takes one at a time."""
    image = replace(loaded(store, tmp_path), original=None)
    shelf = Shelf(parallel=parallel)
    manifest = send(shelf, image)
    assert [layer.media_type for layer in manifest.layers] == [media.LAYER_TAR_GZIP] * 2
    if parallel == 1:
        assert [sent.diff_id for sent in shelf.made] == list(image.config.diff_ids)


def test_image_whose_blobs_are_there_keeps_its_digest(store: Store, tmp_path: Path) -> None:
    """Nothing is made, and the manifest is that with which it came."""
    image = loaded(store, tmp_path)
    shelf = Shelf(*blobs(image))
    send(shelf, image)
    assert image.original is not None
    assert shelf.manifests["name"] == (image.original.data, media.MANIFEST)
    assert shelf.made == []


def test_image_of_plain_layers_keeps_its_digest(store: Store, tmp_path: Path) -> None:
    """They are what the store has; but a registry gets them compressed."""
    image = loaded(store, tmp_path, "none")
    assert image.original is not None
    send(shelf := Shelf(), image)
    assert shelf.manifests["name"][0] == image.original.data
    send(shelf := Shelf(), image, SendOptions(GZIP, prefers_plain=False))
    assert shelf.manifests["name"][0] != image.original.data


def test_what_is_there_in_part_is_used(store: Store, tmp_path: Path) -> None:
    """One layer as it came, one made."""
    image = loaded(store, tmp_path)
    shelf = Shelf(blobs(image)[0])
    manifest = send(shelf, image)
    assert manifest.layers[0].digest == blobs(image)[0]
    assert [sent.diff_id for sent in shelf.made] == [image.config.diff_ids[1]]


def test_what_was_made_before_is_asked_for(store: Store, tmp_path: Path) -> None:
    """The second time nothing is compressed; nor where another image came with the layer."""
    image = replace(loaded(store, tmp_path), original=None)
    memory = MadeLayers(store)
    first = send(shelf := Shelf(), image, memory=memory)
    shelf.made.clear()
    assert send(shelf, image, memory=memory) == first
    assert shelf.made == []
    known = {image.config.diff_ids[1]: [first.layers[1]]}
    send(other := Shelf(first.layers[1].digest), image, known=known)
    assert [sent.diff_id for sent in other.made] == [image.config.diff_ids[0]]


def test_original_is_made_again_where_it_was_ours(store: Store, tmp_path: Path) -> None:
    """An image that we sent and pulled back keeps its digest anywhere."""
    image = loaded(store, tmp_path)
    memory = MadeLayers(store)
    send(shelf := Shelf(), image, memory=memory)
    data, media_type = shelf.manifests["name"]
    assert image.original is not None
    ours = replace(image.original, data=data, manifest=parse_manifest(data), media_type=media_type)
    send(other := Shelf(), replace(image, original=ours), memory=memory)
    assert other.manifests["name"][0] == data
    assert len(other.made) == 2


def test_blob_that_is_not_made_again_is_not_named(store: Store, tmp_path: Path) -> None:
    """A library of another version makes other bytes: then the manifest is another one too."""
    image = loaded(store, tmp_path)
    memory = MadeLayers(store)
    assert image.original is not None
    for layer, blob in zip(image.layers, image.original.manifest.layers, strict=True):
        memory.remember(layer.diff_id, GZIP.key, Made(blob.digest, blob.size))
    manifest = send(shelf := Shelf(), image, memory=memory)
    assert shelf.manifests["name"][0] != image.original.data
    assert {layer.digest for layer in manifest.layers} == {
        sent.descriptor.digest for sent in shelf.made
    }


def test_blob_that_was_kept_goes_out_as_it_came(store: Store, tmp_path: Path) -> None:
    """Of a coded layer; so the image keeps its digest anywhere, and parts of it are used."""
    image = loaded(store, tmp_path)
    assert image.original is not None
    folder = tmp_path / "pic/blobs/sha256"
    layers = tuple(
        replace(layer, blob=KeptBlob(folder / blob.digest[7:], blob.digest, blob.size))
        for layer, blob in zip(image.layers, image.original.manifest.layers, strict=True)
    )
    send(shelf := Shelf(), replace(image, layers=layers))
    assert shelf.manifests["name"][0] == image.original.data
    assert shelf.made == []
    manifest = send(shelf := Shelf(), replace(image, layers=(layers[0], image.layers[1])))
    assert manifest.layers[0].digest == blobs(image)[0]
    assert len(shelf.made) == 1


def test_compression_that_is_asked_for_holds_for_all(store: Store, tmp_path: Path) -> None:
    """A gzip blob that is there does not do for zstd."""
    image = loaded(store, tmp_path)
    options = SendOptions(Compression("zstd", 3), is_forced=True)
    manifest = send(Shelf(*blobs(image)), image, options)
    assert [layer.media_type for layer in manifest.layers] == [media.LAYER_TAR_ZSTD] * 2
    options = SendOptions(GZIP, is_forced=True)
    send(shelf := Shelf(*blobs(image)), image, options)
    assert shelf.made == []


def test_dockers_manifest(store: Store, tmp_path: Path) -> None:
    """The blobs that came are used under Docker's names of them."""
    image = loaded(store, tmp_path)
    shelf = Shelf(*blobs(image))
    manifest = send(shelf, image, SendOptions(GZIP, docker=True))
    assert shelf.manifests["name"][1] == media.DOCKER_MANIFEST
    assert {layer.media_type for layer in manifest.layers} == {media.DOCKER_LAYER_TAR_GZIP}
    assert [layer.digest for layer in manifest.layers] == blobs(image)


def test_estargz_changes_the_config(store: Store, tmp_path: Path) -> None:
    """Its tars have a member more, so the diff IDs are others; remembered too."""
    image = replace(loaded(store, tmp_path), original=None)
    memory = MadeLayers(store)
    options = SendOptions(Compression("estargz", 3), is_forced=True)
    manifest = send(shelf := Shelf(), image, options, memory)
    assert manifest.config.digest != sha256_of(image.config_data)
    assert all(layer.annotations for layer in manifest.layers)
    shelf.made.clear()
    assert send(shelf, image, options, memory) == manifest
    assert shelf.made == []


def test_layer_that_two_images_share_is_made_once(store: Store, tmp_path: Path) -> None:
    """By one sender."""
    image = replace(loaded(store, tmp_path), original=None)
    shelf = Shelf(parallel=1)
    sender = Sender(shelf, SendOptions(GZIP), Silent())
    trio.run(sender.send, image, ["one"])
    trio.run(sender.send, image, ["two"])
    assert len(shelf.made) == 2
    assert shelf.manifests["one"] == shelf.manifests["two"]


def test_unknown_layers_have_no_other_name() -> None:
    """What cannot be said in the other form is not guessed."""
    with pytest.raises(InvalidInput, match="unknown kind"):
        retyped(Descriptor("application/x", sha256_of(b""), 0), docker=True)
