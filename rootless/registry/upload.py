"""Blobs to a registry: distribution-spec, "Pushing blobs".

A small blob goes in one request (POST, then PUT), a larger one in chunks (PATCH), each of which can
be made again: after a cut the registry is asked how much of it has arrived. A registry that lost
track, or that takes no chunks, gets the whole blob anew.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self
from urllib.parse import urlencode

import httpx
import trio

from rootless.errors import IntegrityError, RegistryError, RootlessError
from rootless.oci.digest import Digest
from rootless.registry.call import Answer, Call
from rootless.registry.caller import Caller, located
from rootless.registry.retry import Again, pause

_MONOLITHIC = 4 << 20
_CHUNK = 16 << 20
_MAX_CHUNK = 512 << 20  # what a registry may ask for as the least
_STEP = 1 << 20
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,19})")
# how registries say that a chunk does not fit to what they have, or that they take none
_LOST = frozenset({400, 404, 405, 409, 411, 413, 416, 501})
_STORED = frozenset({201, 204})


class Readable(Protocol):
    """Bytes read forwards."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Return up to *size* bytes, empty at the end."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What is uploaded.

    Attributes:
        digest: Of the bytes.
        size: Number of bytes.
        open_at: Gives them from an offset on; called again after a cut.
        on: Its name, for errors.
    """

    digest: Digest
    size: int
    open_at: Callable[[int], Readable]
    on: str


class _LostTrack(Exception):
    """The registry does not go on with an upload; it begins anew."""


async def mount_blob(
    caller: Caller, digest: Digest, from_path: str, scopes: frozenset[str], on: str
) -> str:
    """Ask for a blob out of another repository.

    Returns:
        Empty where the registry has taken it, else the address of the upload that it has begun.
    """
    query = urlencode({"mount": digest, "from": from_path})
    call = Call(
        method="POST",
        path=f"/v2/{caller.endpoint.path}/blobs/uploads/?{query}",
        what="repository in the registry",
        on=on,
        scopes=scopes,
        headers={"Content-Length": "0"},
        expected=frozenset({201, 202}),
    )
    answer = await caller.document(call)
    return "" if answer.status == 201 else _location(answer)


async def upload_blob(
    caller: Caller, blob: Blob, scopes: frozenset[str], address: str = ""
) -> None:
    """Upload a blob, by an upload that has been begun where there is one.

    Raises:
        RegistryError: It cannot be brought there. What was begun, the registry forgets in time.
    """
    in_chunks = blob.size > _MONOLITHIC
    upload = _Upload(caller, blob, scopes, address)
    reason = ""
    for _ in range(caller.policy.tries):
        try:
            await upload.begin()
            if in_chunks:
                await upload.send_chunks()
            await upload.finish()
            return
        except _LostTrack as lost:
            in_chunks = in_chunks and upload.takes_chunks
            reason = str(lost)
    raise RegistryError(f"registry does not take the blob: {reason}", blob.on, "try again later")


class _Upload:
    """One upload as the registry has it, from its beginning to its end."""

    def __init__(self, caller: Caller, blob: Blob, scopes: frozenset[str], address: str) -> None:
        self._caller = caller
        self._blob = blob
        self._scopes = scopes
        self._begun = address
        self._parts: list[_Part] = []  # to be closed after a request
        self._url = ""
        self._chunk = _CHUNK
        self._sent = 0
        self.takes_chunks = False  # as far as it has shown

    async def begin(self) -> None:
        """Open an upload, or take the one that is open."""
        self._sent = 0
        self._url, self._begun = self._begun, ""
        if self._url:
            return
        path = f"/v2/{self._caller.endpoint.path}/blobs/uploads/"
        answer = await self._caller.document(
            self._call("POST", path, 0, {"Content-Length": "0"}, {202})
        )
        least = answer.headers.get("oci-chunk-min-length", "")
        if least.isdecimal():
            self._chunk = min(max(_CHUNK, int(least)), _MAX_CHUNK)
        self._url = _location(answer)

    async def send_chunks(self) -> None:
        """Send everything by PATCH, chunk after chunk."""
        failures = 0
        while self._sent < self._blob.size:
            try:
                await self._send_chunk()
                failures = 0
            except Again as again:
                failures += 1
                await pause(self._caller.policy, failures, again)
                await self._ask_status()

    async def finish(self) -> None:
        """Name the digest; what has not been sent goes along."""
        separator = "&" if "?" in self._url else "?"
        path = f"{self._url}{separator}digest={self._blob.digest}"
        rest = self._blob.size - self._sent
        headers = {"Content-Length": str(rest)}
        if rest:
            headers["Content-Type"] = "application/octet-stream"
        call = self._call("PUT", path, rest, headers, {*_STORED, *_LOST})
        failures = 0
        while True:
            try:
                answer = await self._whole(call)
                break
            except Again as again:
                if await self._is_there():  # the answer was cut, not the request
                    return
                failures += 1
                await pause(self._caller.policy, failures, again)
                if rest:
                    raise _LostTrack(again.error.what) from again
                await self._ask_status()
        if answer.status_code in _LOST:
            raise self._refusal(answer)
        stored = answer.headers.get("docker-content-digest", self._blob.digest)
        if stored != self._blob.digest:
            raise IntegrityError(f"registry has stored the blob as {stored}", self._blob.on)

    async def _send_chunk(self) -> None:
        length = min(self._chunk, self._blob.size - self._sent)
        last = self._sent + length - 1
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(length),
            "Content-Range": f"{self._sent}-{last}",
        }
        call = self._call("PATCH", self._url, length, headers, {202, 204, *_LOST})
        response = await self._whole(call)
        if response.status_code in _LOST:
            raise _LostTrack(f"status {response.status_code} for a chunk")
        self._url = str(located(response, response.request.url))
        arrived = _arrived(response.headers.get("range", ""), last + 1)
        if not self._sent <= arrived <= self._blob.size:
            raise _LostTrack(f"it says that it has {arrived} bytes")
        self._sent = arrived
        self.takes_chunks = True

    async def _ask_status(self) -> None:
        """Find out where to go on."""
        call = self._call("GET", self._url, 0, {}, {204, 202, *_LOST})
        answer = await self._caller.document(call)
        if answer.status in _LOST:
            self.takes_chunks = True  # it was the connection's fault
            raise _LostTrack(f"status {answer.status} for an upload that was cut")
        if "location" in answer.headers:
            self._url = _location(answer)
        arrived = _arrived(answer.headers.get("range", ""), -1)
        if not 0 <= arrived <= self._blob.size:
            raise _LostTrack("it does not say how much it has")
        self._sent = arrived

    async def _is_there(self) -> bool:
        path = f"/v2/{self._caller.endpoint.path}/blobs/{self._blob.digest}"
        try:
            answer = await self._caller.document(self._call("HEAD", path, 0, {}, {200, 404}))
        except RootlessError:
            return False
        return answer.status == 200

    async def _whole(self, call: Call) -> httpx.Response:
        """Ask once; return the response, read and closed."""
        try:
            response = await self._caller.open(call)
            await self._caller.drain(response)
            return response
        finally:
            parts, self._parts = self._parts, []
            for part in parts:
                await part.aclose()

    def _call(
        self, method: str, path: str, length: int, headers: dict[str, str], expected: set[int]
    ) -> Call:
        offset = self._sent

        def content() -> _Part:
            part = _Part(self._blob, offset, length)
            self._parts.append(part)
            return part

        return Call(
            method=method,
            path=path,
            what="repository in the registry",
            on=self._blob.on,
            scopes=self._scopes,
            headers=headers,
            content=content if length else None,
            expected=frozenset(expected),
        )

    def _refusal(self, response: httpx.Response) -> Exception:
        """Return what to raise for a PUT that was refused."""
        if self._blob.size > self._sent and response.status_code != 404:
            where = f"{self._blob.on} (status {response.status_code})"
            return RegistryError("registry refuses the blob", where)
        return _LostTrack(f"status {response.status_code} at the end")


class _Part(httpx.AsyncByteStream):
    """A part of a blob as the body of a request; reading, which may compress, is in a thread."""

    def __init__(self, blob: Blob, offset: int, length: int) -> None:
        self._blob = blob
        self._offset = offset
        self._left = length
        self._stream: Readable | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        if self._stream is None:
            self._stream = await trio.to_thread.run_sync(self._blob.open_at, self._offset)
        data = await trio.to_thread.run_sync(self._stream.read, min(_STEP, self._left))
        if not data:
            raise IntegrityError("blob ends early while it is uploaded", self._blob.on)
        self._left -= len(data)
        return data

    async def aclose(self) -> None:
        """Close the stream, if it can be closed."""
        self._left = 0
        stream, self._stream = self._stream, None
        close = getattr(stream, "close", None)
        if close is not None:
            close()


def _location(answer: Answer) -> str:
    location = answer.headers.get("location", "")
    try:
        return str(answer.url.join(location)) if location else _no_location(answer)
    except ValueError:
        return _no_location(answer)


def _no_location(answer: Answer) -> str:
    raise RegistryError("registry opens an upload without a Location", str(answer.url.host))


def _arrived(field: str, default: int) -> int:
    """Return how many bytes a field Range says are there; `0-0` is what "none" looks like."""
    match = _RANGE.fullmatch(field.strip())
    if match is None:
        return default
    return int(match[1]) + 1 if int(match[1]) else 0
