"""A repository of a registry as the destination of a push or a copy.

A blob that the registry has elsewhere is mounted. One that is made on the way is written to a file
without a name first, so that its digest can be asked for and a cut upload goes on without
compressing anew; while one is uploaded, the next is compressed.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

import trio

from rootless.errors import InvalidInput
from rootless.image.byte_stream import ByteStream
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, sha256_of
from rootless.oci.reference import LOCALHOST, Reference, parse_reference
from rootless.registry.client import Registry
from rootless.registry.repository import Repository
from rootless.registry.settings import Settings
from rootless.transfer.destination import MakeBlob, OpenAt
from rootless.transfer.new_file import explained
from rootless.transfer.outgoing import Advance, SentLayer
from rootless.transfer.progress import Progress, State

Lenders = Callable[[str, Digest], Sequence[str]]
"""Returns the repositories of a registry, by its domain, that may have a blob."""

UPLOADS_AT_ONCE = 4
_MOUNTS = 2  # an upload is begun in vain for each that fails


class RegistryDestination:
    """One repository.

    Args:
        repository: Where to.
        reference: Its full name, with the tag or the digest of what is pushed.
        lenders: Other repositories of the registry that may have a blob.
        scratch: Where a blob is kept while it is made and uploaded.
    """

    parallel = UPLOADS_AT_ONCE

    def __init__(
        self,
        repository: Repository,
        reference: Reference,
        lenders: Callable[[Digest], Sequence[str]],
        scratch: Path,
    ) -> None:
        self._repository = repository
        self._reference = reference
        self._lenders = lenders
        self._scratch = scratch
        self._held: dict[Digest, bool] = {}
        self._making = trio.Lock()

    @property
    def where(self) -> str:
        """What the user called it."""
        return str(self._reference)

    @property
    def repositories(self) -> tuple[str, ...]:
        """The repository itself."""
        return (self._reference.repository,)

    async def holds(self, descriptor: Descriptor) -> bool:
        """Return whether the repository has a blob, or the registry takes it from another one."""
        digest = descriptor.digest
        if digest not in self._held:
            self._held[digest] = await self._find(digest)
        return self._held[digest]

    async def put(self, descriptor: Descriptor, open_at: OpenAt, advance: Advance) -> None:
        """Take a blob; the registry verifies it."""
        blob = _Readings(open_at, advance)
        try:
            await self._repository.upload_blob(descriptor.digest, descriptor.size, blob.open_at)
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(blob.close)
        self._held[descriptor.digest] = True

    async def make(self, make_blob: MakeBlob, progress: Progress) -> SentLayer:
        """Take a blob that is made on the way; tells of its upload."""
        with ExitStack() as held:
            async with self._making:
                file = held.enter_context(self._file())
                with explained(self._scratch):
                    sent = await trio.to_thread.run_sync(make_blob, file.write)
                    file.flush()
            blob = sent.descriptor
            meter = progress.begin(blob.digest, blob.size)
            self._held.pop(blob.digest, None)  # it was asked for a while ago
            if await self.holds(blob):
                meter.enter(State.PRESENT, blob.size)
                return sent
            meter.enter(State.UPLOADING)
            await self.put(blob, _opener(file.fileno()), meter.advance)
            meter.enter(State.DONE)
        return sent

    async def put_manifest(self, data: bytes, media_type: str, names: Sequence[str] | None) -> None:
        """Take a manifest or an index, under the tag that was asked for, or its digest."""
        digest = sha256_of(data)
        wanted = self._reference.digest
        if names is not None and wanted is not None and wanted != digest:
            fix = f"what is pushed is {digest}"
            raise InvalidInput("the image has another digest than its name", str(wanted), fix)
        by_tag = names is not None and self._reference.tag and wanted is None
        await self._repository.put_manifest(
            data, media_type, self._reference.tag if by_tag else digest
        )

    async def finish(self) -> None:
        """Do nothing: the manifest has made all visible."""

    async def _find(self, digest: Digest) -> bool:
        if await self._repository.has_blob(digest):
            return True
        others = [path for path in self._lenders(digest) if path != self._reference.path]
        for path in others[:_MOUNTS]:
            if await self._repository.mount_blob(digest, path):
                return True
        return False

    def _file(self) -> IO[bytes]:
        folder = self._scratch
        if not os.access(folder, os.W_OK):
            folder = Path(os.environ.get("TMPDIR", "/var/tmp"))  # noqa: S108 - has no name there
        with explained(folder):
            return tempfile.TemporaryFile(dir=folder)


class _Readings:
    """A blob that is read in pieces, one after the other: the stream stays open in between."""

    def __init__(self, open_at: OpenAt, advance: Advance) -> None:
        self._open_at = open_at
        self._advance = advance
        self._held = ExitStack()
        self._stream: ByteStream | None = None
        self._position = 0

    def open_at(self, offset: int) -> "_Reading":
        """Go on at an offset."""
        if self._stream is None or offset != self._position:
            self.close()
            self._stream = self._held.enter_context(self._open_at(offset))
            self._position = offset
        return _Reading(self)

    def read(self, size: int) -> bytes:
        """Read on."""
        data = (self._stream.read(size) if self._stream is not None else b"") or b""
        self._position += len(data)
        self._advance(len(data))
        return data

    def close(self) -> None:
        """Let go of the stream."""
        self._stream = None
        self._held.close()


class _Reading:
    """One piece; the end of it closes nothing."""

    def __init__(self, blob: _Readings) -> None:
        self._blob = blob

    def read(self, size: int = -1, /) -> bytes:
        """Read on."""
        return self._blob.read(size)


def _opener(fd: int) -> OpenAt:
    @contextmanager
    def open_at(offset: int) -> Iterator[ByteStream]:
        # a description of its own, so that its position is too
        with open(f"/proc/self/fd/{fd}", "rb", buffering=0) as file:
            file.seek(offset)
            yield file

    return open_at


def parse_target(name: str) -> Reference:
    """Return the full name of what is pushed; raises InvalidInput where it names no registry."""
    reference = parse_reference(name)
    if not reference.domain or reference.domain == LOCALHOST:
        fix = f"name one: HOST/{reference.path}"
        raise InvalidInput("the name has no registry", name, fix)
    return reference.canonical()


@asynccontextmanager
async def registry_destination(
    name: str,
    settings: Settings,
    scratch: Path,
    lenders: Lenders,
) -> AsyncIterator[RegistryDestination]:
    """Give a repository of a registry; raises InvalidInput where the name is none."""
    reference = parse_target(name)

    def of_registry(digest: Digest) -> Sequence[str]:
        return lenders(reference.domain, digest)

    async with Registry(settings) as registry:
        repository = registry.repository(reference)
        yield RegistryDestination(repository, reference, of_registry, scratch)
