"""A repository in memory, which answers as the client of a registry does, and fails where told.

For what a real registry cannot be made to do at one exact moment; `tests/transfer` has real ones.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import images
import trio

from rootless.errors import NotFound
from rootless.oci.descriptor import IMAGE_INDEX, MANIFEST, Descriptor
from rootless.oci.digest import Digest, sha256_of


@dataclass
class Repository:
    """Blobs and manifests by digest, tags, and what to do with each chunk on its way.

    Attributes:
        asked: What was asked for, in order: `manifest X`, `head X`, `blob DIGEST OFFSET`.
        on_chunk: Called with a blob's digest and the bytes that went before; may raise, or replace.
        ignores_ranges: Every blob begins at its first byte.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    on_chunk: Callable[[str, int, bytes], bytes] = lambda _digest, _offset, chunk: chunk
    ignores_ranges: bool = False
    chunk_size: int = 4096

    def add_blob(self, content: bytes) -> Descriptor:
        """Add a blob."""
        digest = sha256_of(content)
        self.blobs[digest] = content
        return Descriptor(images.LAYER_TYPES["gzip"], digest, len(content))

    def add_manifest(
        self, document: dict[str, Any] | bytes, *tags: str, media_type: str = MANIFEST
    ) -> Descriptor:
        """Add a manifest or an index under its digest and tags."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        for name in (sha256_of(data), *tags):
            self.manifests[name] = data, media_type
        return Descriptor(media_type, sha256_of(data), len(data))

    def add_image(
        self, layers: Sequence[images.Layer], *tags: str, config: bytes | None = None
    ) -> Descriptor:
        """Add an image of gzip layers."""
        config = images.image_config(layers) if config is None else config
        self.blobs[images.digest(config)] = config
        blobs = [images.COMPRESSORS["gzip"](images.layer_tar(layer)) for layer in layers]
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": images.CONFIG_TYPE,
                "digest": images.digest(config),
                "size": len(config),
            },
            "layers": [self.add_blob(blob).to_json() for blob in blobs],
        }
        return self.add_manifest(document, *tags)

    def add_index(self, manifests: Sequence[dict[str, Any]], *tags: str) -> Descriptor:
        """Add an image index."""
        document = {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": list(manifests)}
        return self.add_manifest(document, *tags, media_type=IMAGE_INDEX)

    async def manifest(self, name: str) -> SimpleNamespace:
        """Answer as `rootless.registry.repository.Repository.manifest`."""
        await trio.lowlevel.checkpoint()
        self.asked.append(f"manifest {name}")
        if name not in self.manifests:
            raise NotFound("no such image in the registry", name)
        data, media_type = self.manifests[name]
        return SimpleNamespace(data=data, media_type=media_type, digest=sha256_of(data))

    async def read_blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """Answer as `rootless.registry.repository.Repository.read_blob`."""
        await trio.lowlevel.checkpoint()
        self.asked.append(f"blob {descriptor.digest}")
        assert descriptor.size <= limit
        return self.blobs[descriptor.digest]

    async def head(self, name: str) -> Descriptor | None:
        """Answer as `rootless.registry.repository.Repository.head`."""
        await trio.lowlevel.checkpoint()
        self.asked.append(f"head {name}")
        if name not in self.manifests:
            return None
        data, media_type = self.manifests[name]
        return Descriptor(media_type, sha256_of(data), len(data))

    @contextlib.asynccontextmanager
    async def blob(self, descriptor: Descriptor, offset: int) -> AsyncIterator["_Body"]:
        """Answer as `rootless.registry.repository.Repository.blob`."""
        await trio.lowlevel.checkpoint()
        self.asked.append(f"blob {descriptor.digest} {offset}")
        begin = 0 if self.ignores_ranges else offset
        yield _Body(self, descriptor.digest, begin)


class _Body:
    def __init__(self, repository: Repository, digest: Digest, offset: int) -> None:
        self.offset = self._position = offset
        self._repository = repository
        self._digest = digest

    def __aiter__(self) -> "_Body":
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        step = self._repository.chunk_size
        start, self._position = self._position, self._position + step
        chunk = self._repository.blobs[self._digest][start : start + step]
        if not chunk:
            raise StopAsyncIteration
        return self._repository.on_chunk(self._digest, start, chunk)
