"""An image of a registry as the origin of a copy."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import trio

from rootless.errors import InvalidInput, NotFound
from rootless.image.byte_stream import ByteStream, Source
from rootless.oci.descriptor import Descriptor
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES
from rootless.oci.reference import Reference
from rootless.registry.client import Registry
from rootless.registry.repository import Repository
from rootless.registry.settings import Settings, candidates
from rootless.transfer.destination import OpenAt
from rootless.transfer.origin import Document
from rootless.transfer.pull_options import Check, Offer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from rootless.registry.body import Body


class RegistryOrigin:
    """One image, or index, of a registry.

    Args:
        references: What its name may mean; the first that exists is it.
        registry: Who asks.
        settings: What the user says of registries.
        check: Called with what the name leads to; None lets all pass.
    """

    def __init__(
        self,
        references: Sequence[Reference],
        registry: Registry,
        settings: Settings,
        check: Check | None = None,
    ) -> None:
        self._references = references
        self._registry = registry
        self._settings = settings
        self._check = check
        self._repository: Repository | None = None

    @property
    def what(self) -> str:
        """What the user called it."""
        return str(self._references[0])

    async def top(self) -> Document:
        """Return the manifest or the index that is named."""
        missing: list[NotFound] = []
        for reference in self._references:
            reference = reference.canonical()  # noqa: PLW2901 - the same, in full
            repository = self._registry.repository(reference)
            try:
                fetched = await repository.manifest()
            except NotFound as error:
                missing.append(error)
                continue
            if self._check is not None:
                offer = Offer(reference, repository, self._settings, fetched, None)
                await self._check(offer)
            self._repository = repository
            return Document(fetched.data, fetched.media_type)
        if len(missing) == 1:
            raise missing[0]
        raise NotFound("no such image in any registry", "; ".join(map(str, missing)))

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """Return a manifest or an index that an index names, verified."""
        if descriptor.size > MAX_MANIFEST_BYTES:
            raise InvalidInput("manifest is too large", str(descriptor.digest))
        return (await self._found.manifest(descriptor.digest)).data

    async def config(self, descriptor: Descriptor) -> bytes:
        """Return a config, verified."""
        return await self._found.read_blob(descriptor, MAX_CONFIG_BYTES)

    def opener(self, descriptor: Descriptor) -> OpenAt:
        """Return what opens a blob, in a thread."""
        repository = self._found

        @contextmanager
        def open_at(offset: int) -> Iterator[ByteStream]:
            stream = _BodyStream(repository, descriptor, offset)
            try:
                yield stream
            finally:
                stream.close()

        return open_at

    @property
    def _found(self) -> Repository:
        assert self._repository is not None  # noqa: S101 - `top` comes first
        return self._repository


class _BodyStream(Source):
    """A blob's body, read by a thread of trio's."""

    def __init__(self, repository: Repository, descriptor: Descriptor, offset: int) -> None:
        super().__init__()
        self._opened = repository.blob(descriptor, offset)
        self._body: Body = trio.from_thread.run(self._opened.__aenter__)
        self._ahead = memoryview(b"")
        self._skip = offset - self._body.offset  # a server without ranges begins at the start

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on; 0 at the end."""
        view = memoryview(buffer)
        while not self._ahead:
            chunk = trio.from_thread.run(anext, self._body, b"")
            if not chunk:
                return 0
            skipped = min(self._skip, len(chunk))
            self._skip -= skipped
            self._ahead = memoryview(chunk)[skipped:]
        n = min(len(view), len(self._ahead))
        view[:n], self._ahead = self._ahead[:n], self._ahead[n:]
        return n

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            trio.from_thread.run(self._opened.__aexit__, None, None, None)
        super().close()


@asynccontextmanager
async def registry_origin(
    name: str, settings: Settings, check: Check | None = None
) -> AsyncIterator[RegistryOrigin]:
    """Give an image of a registry; raises InvalidInput where the name is none."""
    references = candidates(name, settings)
    async with Registry(settings) as registry:
        yield RegistryOrigin(references, registry, settings, check)
