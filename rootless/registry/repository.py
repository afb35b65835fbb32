"""One repository of a registry: distribution-spec, "Pull", "Push" and "Content Discovery".

Mirrors are asked first, in their order; which one had the manifest is asked first for the blobs.
What is written goes to the registry itself.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx

from rootless.errors import IntegrityError, InvalidInput, NotFound, RootlessError
from rootless.oci.descriptor import (
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    IMAGE_INDEX,
    MANIFEST,
    Descriptor,
)
from rootless.oci.digest import Digest, parse_digest, sha256_of
from rootless.oci.document import MAX_MANIFEST_BYTES
from rootless.oci.reference import Reference
from rootless.registry import lists, upload
from rootless.registry.body import Body
from rootless.registry.call import Answer, Call
from rootless.registry.caller import Caller
from rootless.registry.manifest_type import media_type_of
from rootless.registry.upload import Readable

log = logging.getLogger(__name__)

T = TypeVar("T")

_ACCEPT = f"{MANIFEST}, {IMAGE_INDEX}, {DOCKER_MANIFEST}, {DOCKER_MANIFEST_LIST}"
_CREATED = frozenset({200, 201, 202})
_MIRROR_FAILURES = 2


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest or an image index as it came: `digest` is that of `data`."""

    data: bytes
    media_type: str
    digest: Digest


class Repository:
    """Asks for one repository's contents.

    Every method raises NotFound, InvalidInput (no access, not an image), IntegrityError (not what
    was asked for) or RegistryError (no connection, a registry at fault).

    Args:
        reference: The canonical name of an image.
        readers: Who is asked, in order: mirrors, then the registry.
        writer: Who is written to.

    Attributes:
        reference: As given.
    """

    def __init__(self, reference: Reference, readers: Sequence[Caller], writer: Caller) -> None:
        self.reference = reference
        self._readers = list(readers)
        self._own = readers[-1]
        self._writer = writer
        self._uploads: dict[Digest, str] = {}

    async def manifest(self, wanted: str = "") -> Fetched:
        """Return a manifest or an image index by tag or digest; the reference's own by default."""
        wanted = wanted or self._wanted

        async def ask(caller: Caller) -> Fetched:
            return await self._manifest(caller, wanted)

        return await self._first(ask)

    async def head(self, wanted: str = "") -> Descriptor | None:
        """Return what a tag or digest stands for, without fetching it; None where there is none."""
        wanted = wanted or self._wanted

        async def ask(caller: Caller) -> Descriptor:
            answer = await caller.document(self._manifest_call(caller, "HEAD", wanted))
            digest = answer.headers.get("docker-content-digest")
            length = answer.headers.get("content-length", "")
            if digest is None or not length.isdecimal():
                fetched = await self._manifest(caller, wanted)
                return Descriptor(fetched.media_type, fetched.digest, len(fetched.data))
            media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
            return Descriptor(media_type, parse_digest(digest), int(length))

        try:
            return await self._first(ask)
        except NotFound:
            return None

    @asynccontextmanager
    async def blob(self, descriptor: Descriptor, offset: int = 0) -> AsyncIterator[Body]:
        """Give a blob's bytes from an offset on, see `Body`; the reader checks the digest."""

        async def begin(caller: Caller) -> Body:
            async def open_at(position: int, failures: int) -> httpx.Response:
                # a mirror whose bodies are cut again and again is not the only place
                chosen = caller if failures < _MIRROR_FAILURES else self._own
                return await chosen.open(self._blob_call(chosen, descriptor.digest, position))

            on = self._named(descriptor.digest)
            own = self._own
            body = Body(
                open_at, descriptor, offset, policy=own.policy, patience=own.patience, on=on
            )
            return await body.begin(caller.policy)

        body = await self._first(begin)
        try:
            yield body
        finally:
            await body.aclose()

    async def read_blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """Return a small blob, such as a config, checked against its digest."""
        on = self._named(descriptor.digest)
        if descriptor.size > limit:
            raise InvalidInput(f"blob is too large: {descriptor.size} bytes", on)
        async with self.blob(descriptor) as body:
            data = b"".join([chunk async for chunk in body])
        if sha256_of(data) != descriptor.digest:
            raise IntegrityError("blob is not what its digest says", on, "the registry is damaged")
        return data

    async def read_range(self, descriptor: Descriptor, offset: int, length: int) -> bytes:
        """Return exactly *length* bytes of a blob from *offset* on, not verified."""
        if offset < 0 or length < 0 or offset + length > descriptor.size:
            raise InvalidInput("part lies outside of the blob", self._named(descriptor.digest))
        if not length:
            return b""
        wanted = offset, offset + length - 1

        async def ask(caller: Caller) -> bytes:
            call = self._blob_call(caller, descriptor.digest, *wanted)
            return await caller.part(call, wanted, descriptor.size)

        return await self._first(ask)

    def distrust(self) -> None:
        """Ask who has answered last after all others from now on: what it gave was wrong."""
        self._readers.append(self._readers.pop(0))

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether the registry itself, not a mirror, has a blob."""
        caller = self._writer
        call = Call(
            method="HEAD",
            path=f"/v2/{caller.endpoint.path}/blobs/{digest}",
            what="blob",
            on=self._named(digest),
            scopes=_scopes(caller, push=True),
            # a storage service that it leads to may not answer HEAD: that it does says enough
            expected=frozenset({200, 302, 303, 307, 404}),
        )
        return (await caller.document(call)).status != 404

    async def mount_blob(self, digest: Digest, from_path: str) -> bool:
        """Let the registry take a blob out of another repository; return whether it did."""
        scopes = _scopes(self._writer, push=True) | {f"repository:{from_path}:pull"}
        on = self._named(digest)
        address = await upload.mount_blob(self._writer, digest, from_path, scopes, on)
        if address:
            self._uploads[digest] = address  # `upload_blob` goes on with it
        return not address

    async def upload_blob(
        self, digest: Digest, size: int, open_at: Callable[[int], Readable]
    ) -> None:
        """Upload a blob; *open_at* gives its bytes from an offset on, again where need be."""
        scopes = _scopes(self._writer, push=True)
        blob = upload.Blob(digest, size, open_at, self._named(digest))
        await upload.upload_blob(self._writer, blob, scopes, self._uploads.pop(digest, ""))

    async def put_manifest(self, data: bytes, media_type: str, wanted: str = "") -> Digest:
        """Upload a manifest or an index under a tag or its digest; return the digest."""
        wanted = wanted or self._wanted
        caller = self._writer

        call = Call(
            method="PUT",
            path=f"/v2/{caller.endpoint.path}/manifests/{wanted}",
            what="repository",
            on=self._named(wanted),
            scopes=_scopes(caller, push=True),
            headers={"Content-Type": media_type},
            content=lambda: data,
            expected=_CREATED,
        )
        answer = await caller.document(call)
        digest = sha256_of(data)
        stored = answer.headers.get("docker-content-digest", digest)
        if stored != digest:
            raise IntegrityError(f"registry has stored the manifest as {stored}", call.on)
        return digest

    async def referrers(self, digest: Digest, artifact_type: str = "") -> tuple[Descriptor, ...]:
        """Return what refers to a manifest: signatures, SBOMs; of one artifact type, or all."""

        async def ask(caller: Caller) -> tuple[Descriptor, ...]:
            scopes = _scopes(caller)
            on = self._named(digest)
            found = await lists.referrers(caller, digest, artifact_type, scopes, on)
            if found is not None:
                return found
            # a registry without the API: the client keeps the index under a tag
            try:
                fetched = await self._manifest(caller, digest.replace(":", "-"))
            except NotFound:
                return ()
            return lists.parse_referrers(fetched.data, artifact_type)

        return await self._first(ask)

    async def tags(self, limit: int = 0) -> list[str]:
        """Return the repository's tags, at most *limit*; 0 is all."""

        async def ask(caller: Caller) -> list[str]:
            return await lists.tags(caller, limit, _scopes(caller), self.reference.repository)

        return await self._first(ask)

    @property
    def _wanted(self) -> str:
        return str(self.reference.digest or self.reference.tag)

    async def _first(self, ask: Callable[[Caller], Awaitable[T]]) -> T:
        """Return the answer of the first who has one, who is asked first from then on.

        Where nobody has, the error is the registry's own.
        """
        own_error: RootlessError | None = None
        for caller in list(self._readers):
            try:
                answer = await ask(caller)
            except RootlessError as error:
                if caller is self._own:
                    own_error = error
                else:
                    log.info("mirror %s: %s", caller.endpoint.repository, error)
                continue
            if self._readers[0] is not caller:
                self._readers.remove(caller)
                self._readers.insert(0, caller)
            return answer
        assert own_error is not None  # noqa: S101 - it is one of those that were asked
        raise own_error

    async def _manifest(self, caller: Caller, wanted: str) -> Fetched:
        digest = parse_digest(wanted) if ":" in wanted else None
        call = self._manifest_call(caller, "GET", wanted)
        answer = await caller.document(call, MAX_MANIFEST_BYTES)
        return _fetched(answer, digest, call.on)

    def _manifest_call(self, caller: Caller, method: str, wanted: str) -> Call:
        return Call(
            method=method,
            path=f"/v2/{caller.endpoint.path}/manifests/{wanted}",
            what="image in the registry",
            on=self._named(wanted),
            scopes=_scopes(caller),
            headers={"Accept": _ACCEPT},
        )

    def _blob_call(
        self, caller: Caller, digest: Digest, first: int = 0, last: int | None = None
    ) -> Call:
        """Return the request for a blob, or for a part of it where one is wanted."""
        is_part = first > 0 or last is not None
        end = "" if last is None else str(last)
        return Call(
            method="GET",
            path=f"/v2/{caller.endpoint.path}/blobs/{digest}",
            what="blob in the registry",
            on=self._named(digest),
            scopes=_scopes(caller),
            headers={"Range": f"bytes={first}-{end}"} if is_part else {},
            expected=frozenset({200, 206} if is_part else {200}),
            is_moved=True,
        )

    def _named(self, wanted: str) -> str:
        """Return the name of something in the repository, as people write it."""
        separator = "@" if ":" in wanted else ":"
        return f"{self.reference.repository}{separator}{wanted}"


def _scopes(caller: Caller, *, push: bool = False) -> frozenset[str]:
    return frozenset({f"repository:{caller.endpoint.path}:{'pull,push' if push else 'pull'}"})


def _fetched(answer: Answer, wanted: Digest | None, on: str) -> Fetched:
    digest = sha256_of(answer.data)
    stated = answer.headers.get("docker-content-digest", "")
    if wanted is not None and digest != wanted:
        raise IntegrityError("manifest is not what its digest says", on, "the registry is damaged")
    if stated.startswith("sha256:") and stated != digest:
        raise IntegrityError(f"manifest is not the {stated} that the registry says", on)
    content_type = answer.headers.get("content-type", "")
    return Fetched(answer.data, media_type_of(answer.data, content_type, on), digest)
