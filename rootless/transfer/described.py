"""Images that have a manifest, copied as they are: every document and blob byte for byte."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from rootless.errors import InvalidInput
from rootless.image import decompress
from rootless.image.byte_stream import ByteStream
from rootless.image.plan import choose_for
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor, Platform, parse_descriptor
from rootless.oci.digest import Digest, sha256_of
from rootless.oci.document import parse_document
from rootless.oci.image_config import parse_image_config
from rootless.oci.image_index import parse_image_index
from rootless.oci.manifest import MAX_LAYERS
from rootless.transfer.destination import Destination
from rootless.transfer.origin import Document, Origin
from rootless.transfer.outgoing import (
    OutgoingImage,
    OutgoingLayer,
    annotations_of,
    manifest_for,
    parse_original,
)
from rootless.transfer.progress import Progress, State
from rootless.transfer.send import retyped

_FOREIGN = re.compile(r"foreign|nondistributable")  # of Windows: they stay with their maker
_MAX_DEPTH = 4
_MAX_MANIFESTS = 1000


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What is copied.

    Attributes:
        platform: Which image of an index.
        whole: The index itself, and all its images.
        docker: A manifest of Docker's (True), of OCI's (False), or as it is (None).
    """

    platform: Platform
    whole: bool = False
    docker: bool | None = None


class Copier:
    """Copies from one place to another.

    Args:
        origin: Where from.
        destination: Where to.
        options: What.
        progress: Who is told.
    """

    def __init__(
        self, origin: Origin, destination: Destination, options: CopyOptions, progress: Progress
    ) -> None:
        self._origin = origin
        self._destination = destination
        self._options = options
        self._progress = progress
        self._slots = trio.CapacityLimiter(destination.parallel)
        self._copied: set[Digest] = set()  # manifests: an index may name one often

    async def copy(self, names: Sequence[str]) -> Digest:
        """Copy, and name the copy; return its digest."""
        top = await self._origin.top()
        if not self._options.whole:
            top = await chosen(self._origin, top, self._options.platform)
            top = _converted(top, self._options.docker)
        elif self._options.docker is not None:
            raise InvalidInput("an index is copied as it is", "--format", "leave out --all")
        await self._below(top, 0)
        await self._destination.put_manifest(top.data, top.media_type, names)
        return sha256_of(top.data)

    async def _below(self, document: Document, depth: int) -> None:
        """Copy what a document names."""
        if depth > _MAX_DEPTH:
            raise InvalidInput("image indexes are nested too deeply", self._origin.what)
        if not is_index(document):
            await self._blobs(_blobs_of(document))
            return
        for descriptor in parse_image_index(document.data).manifests:
            if descriptor.digest in self._copied:
                continue
            self._copied.add(descriptor.digest)
            if len(self._copied) > _MAX_MANIFESTS:
                fix = f"at most {_MAX_MANIFESTS} are taken"
                raise InvalidInput("too many images in the index", self._origin.what, fix)
            data = await self._origin.manifest(descriptor)
            await self._below(Document(data, descriptor.media_type), depth + 1)
            await self._destination.put_manifest(data, descriptor.media_type, None)

    async def _blobs(self, blobs: Sequence[Descriptor]) -> None:
        async with trio.open_nursery() as nursery:
            for descriptor in {each.digest: each for each in blobs}.values():
                await self._slots.acquire_on_behalf_of(descriptor.digest)
                nursery.start_soon(self._blob, descriptor)

    async def _blob(self, descriptor: Descriptor) -> None:
        try:
            meter = self._progress.begin(descriptor.digest, descriptor.size)
            if await self._destination.holds(descriptor):
                meter.enter(State.PRESENT, descriptor.size)
                return
            meter.enter(State.UPLOADING)
            opener = self._origin.opener(descriptor)
            await self._destination.put(descriptor, opener, meter.advance)
            meter.enter(State.DONE)
        finally:
            self._slots.release_on_behalf_of(descriptor.digest)


async def chosen(origin: Origin, document: Document, platform: Platform) -> Document:
    """Return the manifest for a platform, down through indexes."""
    for _ in range(_MAX_DEPTH):
        if not is_index(document):
            return document
        descriptor = choose_for(parse_image_index(document.data).manifests, platform)
        data = await origin.manifest(descriptor)
        document = Document(data, descriptor.media_type)
    raise InvalidInput("image indexes are nested too deeply", origin.what)


async def unpacked(origin: Origin, document: Document) -> OutgoingImage:
    """Return an image whose layers are decompressed while they are read."""
    original = parse_original(document.data)
    config_data = await origin.config(original.manifest.config)
    config = parse_image_config(config_data)
    layers = original.manifest.layers
    if len(layers) != len(config.diff_ids):
        fix = f"the manifest names {len(layers)} layers, the config {len(config.diff_ids)} diff IDs"
        raise InvalidInput("manifest and config do not fit together", origin.what, fix)

    def layer(descriptor: Descriptor, diff_id: Digest) -> OutgoingLayer:
        opener = origin.opener(descriptor)

        @contextmanager
        def open_tar() -> Iterator[ByteStream]:
            with opener(0) as raw, decompress.opened(raw, str(descriptor.digest)) as tar:
                yield tar

        return OutgoingLayer(diff_id, -1, open_tar)

    return OutgoingImage(
        what=origin.what,
        names=(),
        config_data=config_data,
        config=config,
        layers=tuple(map(layer, layers, config.diff_ids)),
        original=original,
    )


def is_index(document: Document) -> bool:
    """Return whether a document names manifests and not layers."""
    return document.media_type in media.IMAGE_INDEXES


def _blobs_of(document: Document) -> list[Descriptor]:
    """Return config and layers of a manifest: of an image, or of anything else that has them."""
    node = parse_document(document.data, "manifest")
    layers = [parse_descriptor(item) for item in node.members("layers")]
    if len(layers) > MAX_LAYERS:
        raise node.require("layers").fault(f"names {len(layers)} layers, at most {MAX_LAYERS}")
    own = [each for each in layers if not _FOREIGN.search(each.media_type)]
    return [parse_descriptor(node.require("config")), *own]


def _converted(document: Document, docker: bool | None) -> Document:  # noqa: FBT001 - three-valued
    """Return the manifest in the other form; the blobs are the same."""
    original = None if docker is None else parse_original(document.data)
    if original is None or docker is None or original.is_docker == docker:
        return document
    layers = [retyped(layer, docker=docker) for layer in original.manifest.layers]
    data = manifest_for(
        original.manifest.config, layers, docker=docker, annotations=annotations_of(original)
    )
    return Document(data, media.DOCKER_MANIFEST if docker else media.MANIFEST)
