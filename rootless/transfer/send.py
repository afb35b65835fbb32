"""An image of plain tars, sent to where blobs are named by digests.

A layer is taken, in this order, from what the destination has already: as the image came with it,
as it was made before; else it is compressed on the way. Where all layers can be had as the image
came with them, its manifest goes out unchanged too.
"""

import io
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import trio

from rootless.errors import InvalidInput
from rootless.image.byte_stream import ByteStream
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, sha256_of
from rootless.transfer.chunked_layer import chunked_name
from rootless.transfer.compression import Compression
from rootless.transfer.destination import Destination
from rootless.transfer.layer_tar import KeptBlob
from rootless.transfer.made_layers import Made, MadeLayers
from rootless.transfer.outgoing import (
    Advance,
    OutgoingImage,
    OutgoingLayer,
    SentLayer,
    annotations_of,
    make_blob,
    manifest_for,
    with_diff_ids,
)
from rootless.transfer.progress import Progress, State

_DOCKER = "application/vnd.docker."
_MOST_CANDIDATES = 4  # each costs a request
_SUFFIXES = {"+gzip": "gzip", ".gzip": "gzip", "+zstd": "zstd", ".zstd": "zstd"}


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How an image is to go out.

    Attributes:
        compression: For layers that have to be made.
        is_forced: The user named it: no layer goes out in another.
        docker: A manifest of Docker's (True), of OCI's (False), or whichever it came with (None).
        prefers_plain: A layer that came as a plain tar stays one.
    """

    compression: Compression
    is_forced: bool = False
    docker: bool | None = None
    prefers_plain: bool = True


class Sender:
    """Sends images to one destination; a layer that several have is sent once.

    Args:
        destination: Where to.
        options: How.
        progress: Who is told.
        memory: What the layers became before; None where nobody remembers.
        known: By diff ID, the blobs in which images of the store came with a layer.
    """

    def __init__(
        self,
        destination: Destination,
        options: SendOptions,
        progress: Progress,
        memory: MadeLayers | None = None,
        known: Mapping[Digest, Sequence[Descriptor]] | None = None,
    ) -> None:
        self._destination = destination
        self._options = options
        self._progress = progress
        self._memory = memory
        self._blobs = known or {}
        self._sent: dict[tuple[Digest, str, bool], SentLayer] = {}
        self._slots = trio.CapacityLimiter(destination.parallel)

    async def send(self, image: OutgoingImage, names: Sequence[str]) -> Digest:
        """Send an image; return its manifest's digest."""
        unchanged = await self._unchanged(image)
        if unchanged is not None:
            data, media_type = unchanged
            await self._put_document(image.config_data)
        else:
            data, media_type = await self._made(image)
        await self._destination.put_manifest(data, media_type, names)
        return sha256_of(data)

    async def _unchanged(self, image: OutgoingImage) -> tuple[bytes, str] | None:
        """Return the manifest with which the image came, if its blobs are or can be there."""
        original, options = image.original, self._options
        if original is None or options.docker not in (None, original.is_docker):
            return None
        layers = original.manifest.layers
        if options.is_forced and any(_name(layer) != options.compression.name for layer in layers):
            return None
        missing: list[Callable[[], Awaitable[None]]] = []
        others: list[Digest] = []
        for layer, descriptor in zip(image.layers, layers, strict=True):
            if await self._destination.holds(descriptor):
                continue
            if layer.blob is not None and layer.blob.digest == descriptor.digest:
                missing.append(partial(self._put_kept, layer.blob, descriptor))
                continue
            compression = self._reproduced(layer, descriptor)
            if compression is None:
                return None
            missing.append(partial(self._remake, layer, compression, descriptor, others))
        await self._each([partial(self._in_slot, work) for work in missing])
        return None if others else (original.data, original.media_type)

    async def _remake(
        self,
        layer: OutgoingLayer,
        compression: Compression,
        descriptor: Descriptor,
        others: list[Digest],
    ) -> None:
        """Make a blob anew; a library of another version may make another one."""
        docker = descriptor.media_type.startswith(_DOCKER)
        sent = await self._make(layer, compression, docker=docker)
        if sent.descriptor.digest != descriptor.digest:
            others.append(sent.descriptor.digest)

    def _reproduced(self, layer: OutgoingLayer, descriptor: Descriptor) -> Compression | None:
        """Return the compression that makes just this blob; None where none is known to."""
        if descriptor.digest == layer.diff_id:
            return Compression("") if self._options.prefers_plain else None
        compression = self._options.compression
        made = self._recalled(layer, compression)
        return compression if made is not None and made.digest == descriptor.digest else None

    async def _made(self, image: OutgoingImage) -> tuple[bytes, str]:
        """Send what a new manifest names; return it."""
        docker = bool(self._options.docker)
        sent: list[SentLayer | None] = [None] * len(image.layers)

        async def take(position: int) -> None:
            sent[position] = await self._take(image, position, docker=docker)

        await self._each([partial(take, position) for position in range(len(image.layers))])
        layers = [layer for layer in sent if layer is not None]
        config_data = with_diff_ids(image.config_data, [layer.diff_id for layer in layers])
        config = await self._put_document(config_data)
        data = manifest_for(
            config,
            [layer.descriptor for layer in layers],
            docker=docker,
            annotations=annotations_of(image.original) or image.annotations,
        )
        return data, media.DOCKER_MANIFEST if docker else media.MANIFEST

    async def _take(self, image: OutgoingImage, position: int, *, docker: bool) -> SentLayer:
        layer = image.layers[position]
        async with self._slots:
            for known in self._known(image, position, docker=docker):
                kept = layer.blob
                if kept is not None and kept.digest == known.descriptor.digest:
                    await self._put_kept(kept, known.descriptor)
                    return known
                if await self._destination.holds(known.descriptor):
                    return known
            return await self._make(layer, self._options.compression, docker=docker)

    def _known(self, image: OutgoingImage, position: int, *, docker: bool) -> Iterator[SentLayer]:
        """Yield what the layer may be called at the destination, as a manifest would name it."""
        layer, compression = image.layers[position], self._options.compression
        came = list(self._blobs.get(layer.diff_id, ())[:_MOST_CANDIDATES])
        if image.original is not None:
            came.insert(0, image.original.manifest.layers[position])
        for blob in came:
            name = _name(blob)
            fits = name != "?" and not (docker and name.startswith("zstd"))
            wanted = name == compression.name if self._options.is_forced else name != ""
            if fits and wanted:
                yield SentLayer(retyped(blob, docker=docker), layer.diff_id)
        made = self._recalled(layer, compression)
        if made is not None:
            media_type = compression.media_type(docker=docker)
            blob = Descriptor(media_type, made.digest, made.size, made.annotations)
            yield SentLayer(blob, made.diff_id or layer.diff_id)

    async def _in_slot(self, work: Callable[[], Awaitable[None]]) -> None:
        async with self._slots:
            await work()

    async def _put_kept(self, blob: KeptBlob, descriptor: Descriptor) -> None:
        """Send the blob in which a layer came, once."""
        if await self._destination.holds(descriptor):
            return
        meter = self._progress.begin(descriptor.digest, descriptor.size)
        meter.enter(State.UPLOADING)
        await self._destination.put(descriptor, blob.open_at, meter.advance)
        meter.enter(State.DONE)

    async def _each(self, works: Sequence[Callable[[], Awaitable[None]]]) -> None:
        """Do all: side by side, or one after the other, in order."""
        if self._destination.parallel == 1:
            for work in works:
                await work()
            return
        async with trio.open_nursery() as nursery:
            for work in works:
                nursery.start_soon(work)

    async def _make(
        self, layer: OutgoingLayer, compression: Compression, *, docker: bool
    ) -> SentLayer:
        known = self._sent.get((layer.diff_id, compression.key, docker))
        if known is not None:
            return known
        meter = self._progress.begin(layer.diff_id, layer.size if layer.size >= 0 else None)
        meter.enter(State.COMPRESSING if compression.name else State.UPLOADING)

        def make(write: Callable[[bytes], object]) -> SentLayer:
            step = _interruptible(meter.advance)
            sent = make_blob(layer, compression, write, step, docker=docker)
            meter.enter(State.DONE)
            return sent

        sent = await self._destination.make(make, self._progress)
        self._sent[layer.diff_id, compression.key, docker] = sent
        if self._memory is not None:
            blob = sent.descriptor
            made = Made(
                digest=blob.digest,
                size=blob.size,
                media_type=blob.media_type,
                annotations=blob.annotations,
                diff_id=sent.diff_id if sent.diff_id != layer.diff_id else None,
                repositories=self._destination.repositories,
            )
            self._memory.remember(layer.diff_id, compression.key, made)
        return sent

    async def _put_document(self, data: bytes) -> Descriptor:
        """Send a config, unless it is there; return its descriptor."""
        descriptor = Descriptor(media.IMAGE_CONFIG, sha256_of(data), len(data))
        if await self._destination.holds(descriptor):
            return descriptor

        @contextmanager
        def open_at(offset: int) -> Iterator[ByteStream]:
            yield io.BytesIO(data[offset:])

        await self._destination.put(descriptor, open_at, lambda _: None)
        return descriptor

    def _recalled(self, layer: OutgoingLayer, compression: Compression) -> Made | None:
        if compression.name == "":
            return Made(layer.diff_id, layer.size) if layer.size >= 0 else None
        if self._memory is None:
            return None
        return self._memory.recall(layer.diff_id).get(compression.key)


def retyped(layer: Descriptor, *, docker: bool) -> Descriptor:
    """Return a layer's descriptor as a manifest of Docker's or of OCI's has it."""
    name = _name(layer)
    if name == "?":
        raise InvalidInput("a layer of an unknown kind", layer.media_type, "leave out --format")
    return replace(layer, media_type=Compression(name).media_type(docker=docker))


def _interruptible(advance: Advance) -> Advance:
    """Return an advance that ends a thread whose task was cancelled."""

    def step(n: int) -> None:
        trio.from_thread.check_cancelled()
        advance(n)

    return step


def _name(layer: Descriptor) -> str:
    """Return how a layer is compressed, by what is said of it; "?" where that is not known."""
    if chunked := chunked_name(layer):
        return chunked
    if layer.media_type in (media.LAYER_TAR, media.DOCKER_LAYER_TAR):
        return ""
    return next((n for end, n in _SUFFIXES.items() if layer.media_type.endswith(end)), "?")
