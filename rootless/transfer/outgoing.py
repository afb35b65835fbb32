"""An image of plain tars as it goes out: its config, its layers, and the manifest made for them.

The store and docker archives keep layers as plain tars, whose digests are the diff IDs. A manifest
names blobs as they are sent, so it can be made only once their digests are known. An image that
came with a manifest has that one too: where its blobs can be had unchanged it goes out again byte
for byte, and the image keeps its digest.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from rootless.errors import IntegrityError, InvalidInput
from rootless.image.byte_stream import ByteStream, Source
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest
from rootless.oci.document import (
    MAX_CONFIG_BYTES,
    MAX_MANIFEST_BYTES,
    Node,
    parse_document,
    to_bytes,
)
from rootless.oci.image_config import ImageConfig, parse_image_config
from rootless.oci.manifest import Manifest, parse_manifest
from rootless.transfer.chunked_layer import write_chunked
from rootless.transfer.compression import Compression, compressed
from rootless.transfer.layer_tar import KeptBlob, kept_blob, open_tar

OpenTar = Callable[[], AbstractContextManager[ByteStream]]
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class OutgoingLayer:
    """One layer: a plain tar.

    Attributes:
        diff_id: Its digest.
        size: Its size.
        open: Opens it for reading from the start.
        blob: The blob in which it came, where that was kept.
    """

    diff_id: Digest
    size: int
    open: OpenTar
    blob: KeptBlob | None = None


@dataclass(frozen=True, slots=True)
class Original:
    """The manifest with which an image came.

    Attributes:
        data: Its bytes.
        manifest: The same, parsed.
        media_type: What it is.
    """

    data: bytes
    manifest: Manifest
    media_type: str

    @property
    def is_docker(self) -> bool:
        """Whether it is one of Docker's."""
        return self.media_type == media.DOCKER_MANIFEST


@dataclass(frozen=True, slots=True)
class OutgoingImage:
    """An image of plain tars.

    Attributes:
        what: What the user called it.
        names: Its full names; may be none.
        config_data: Its config; the digest is the image ID.
        config: The same, parsed.
        layers: Lowest first.
        original: The manifest with which it came; None where there is none.
        annotations: Of the manifest that it was built with.
    """

    what: str
    names: tuple[str, ...]
    config_data: bytes
    config: ImageConfig
    layers: tuple[OutgoingLayer, ...]
    original: Original | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentLayer:
    """A layer as it went out.

    Attributes:
        descriptor: Of the blob.
        diff_id: Of the tar that is in it: another one where the format adds members.
    """

    descriptor: Descriptor
    diff_id: Digest


def of_store(store: Store, image: Image) -> OutgoingImage:
    """Return an image of the store as it goes out; raises NotFound, IntegrityError."""
    sizes = (layer.size for layer in image.manifest.layers)
    layers = tuple(
        OutgoingLayer(diff_id, size, partial(open_tar, store, diff_id), kept_blob(store, diff_id))
        for diff_id, size in zip(image.config.diff_ids, sizes, strict=True)
    )
    original = None
    if image.source_digest is not None:
        original = parse_original(store.read_blob(image.source_digest, MAX_MANIFEST_BYTES))
    return OutgoingImage(
        what=image.reference or str(image.config_digest),
        names=(image.reference,) if image.reference else (),
        config_data=store.read_blob(image.config_digest, MAX_CONFIG_BYTES),
        config=image.config,
        layers=layers,
        original=original,
        annotations=image.manifest.annotations,
    )


def parse_form(text: str) -> bool | None:
    """Return what `--format` says: a manifest of Docker's, of OCI's, or None for as it is."""
    forms = {"": None, "oci": False, "v2s2": True, "docker": True}
    if text not in forms:
        fix = "Docker's schema 1 is no more" if text == "v2s1" else "one of oci, v2s2"
        raise InvalidInput("no such format of a manifest", text, fix)
    return forms[text]


def parse_original(data: bytes) -> Original:
    """Return a manifest with its media type; raises InvalidInput."""
    manifest = parse_manifest(data)
    stated = parse_document(data, "manifest").text("mediaType")
    if not stated:  # optional in OCI's: the config tells
        docker = manifest.config.media_type == media.DOCKER_CONFIG
        stated = media.DOCKER_MANIFEST if docker else media.MANIFEST
    return Original(data, manifest, stated)


def manifest_for(
    config: Descriptor,
    layers: Sequence[Descriptor],
    *,
    docker: bool,
    annotations: Mapping[str, str] | None = None,
) -> bytes:
    """Return the manifest of a config and of layers as they were sent."""
    config_type = media.DOCKER_CONFIG if docker else media.IMAGE_CONFIG
    value: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media.DOCKER_MANIFEST if docker else media.MANIFEST,
        "config": replace(config, media_type=config_type).to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    if annotations and not docker:
        value["annotations"] = dict(annotations)
    return to_bytes(value)


def annotations_of(original: Original | None) -> dict[str, str]:
    """Return what a manifest says about its image; Docker's say nothing."""
    if original is None or original.is_docker:
        return {}
    return parse_document(original.data, "manifest").mapping("annotations")


def with_diff_ids(config_data: bytes, diff_ids: Sequence[Digest]) -> bytes:
    """Return a config for layers that became other tars; the same bytes where none did."""
    if parse_image_config(config_data).diff_ids == tuple(diff_ids):
        return config_data
    node = parse_document(config_data, "image config", limit=MAX_CONFIG_BYTES)
    rootfs: Node = node.require("rootfs")
    return to_bytes(node.value | {"rootfs": rootfs.value | {"diff_ids": list(diff_ids)}})


class Hashed(Source):
    """A stream that is passed through, with its digest and size."""

    def __init__(self, raw: ByteStream, advance: Advance) -> None:
        super().__init__()
        self._raw = raw
        self._advance = advance
        self._hash = hashlib.sha256()

    def readinto(self, buffer: Any) -> int:
        """Read and take note."""
        n = self._raw.readinto(buffer) or 0
        self._hash.update(memoryview(buffer)[:n])
        self._advance(n)
        return n

    def digest(self) -> Digest:
        """Return the digest of what went by."""
        return Digest("sha256:" + self._hash.hexdigest())


class HashedOutput:
    """Writes on, with digest and size.

    Attributes:
        size: Bytes so far.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Write all of it."""
        self._hash.update(data)
        self.size += len(data)
        self._write(data)
        return len(data)

    def digest(self) -> Digest:
        """Return the digest of what was written."""
        return Digest("sha256:" + self._hash.hexdigest())


def make_blob(
    layer: OutgoingLayer,
    compression: Compression,
    write: Callable[[bytes], object],
    advance: Advance,
    *,
    docker: bool,
) -> SentLayer:
    """Write a layer as it goes out; what was read is checked against its diff ID.

    Raises:
        IntegrityError: The tar is not what it is called.
    """
    output = HashedOutput(write)
    diff_id = layer.diff_id
    annotations: Mapping[str, str] = {}
    media_type = compression.media_type(docker=docker)
    with layer.open() as raw:
        tar = Hashed(raw, advance)
        if compression.is_chunked:
            written = write_chunked(compression, tar, output, layer.diff_id)
            diff_id, annotations = written.diff_id, written.annotations
        else:
            for chunk in compressed(compression, tar):
                output.write(chunk)
        while tar.read(1 << 20):  # what a writer left belongs to the digest
            pass
    if tar.digest() != layer.diff_id:
        fix = "load or pull the image again"
        raise IntegrityError("the layer is damaged", f"{layer.diff_id} is {tar.digest()}", fix)
    return SentLayer(Descriptor(media_type, output.digest(), output.size, annotations), diff_id)
