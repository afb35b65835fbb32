"""The bytes of a blob as they come, taken up again where a connection is cut.

The registry's answer is checked for what it says of itself: where it begins and how much there is.
The digest is the reader's to check, who hashes what passes anyway.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

import httpx
import trio

from rootless.errors import IntegrityError, RegistryError
from rootless.oci.descriptor import Descriptor
from rootless.registry.content_range import check_range
from rootless.registry.failures import broken, shown
from rootless.registry.retry import Again, RetryPolicy, pause, tried
from rootless.registry.settings import Patience
from rootless.registry.wire import chunks_of, end

# A connection that brought so much counts as a good one: the tries begin anew.
_PROGRESS = 256 << 10
_SLOWEST = 100  # bytes a second


class Body:
    """A blob from an offset to its end: begin, iterate once, close.

    Args:
        open_at: Asks for the blob from an offset, after so many failures without progress;
            raises `Again` where another try may help.
        descriptor: The blob.
        offset: Where to begin.
        policy: How often to ask again.
        patience: How slow is too slow.
        on: The blob, for errors.

    Attributes:
        offset: Where the first chunk begins: as asked, or 0 where the registry has no ranges.
    """

    def __init__(
        self,
        open_at: Callable[[int, int], Awaitable[httpx.Response]],
        descriptor: Descriptor,
        offset: int,
        *,
        policy: RetryPolicy,
        patience: Patience,
        on: str,
    ) -> None:
        self.offset = offset
        self._open_at = open_at
        self._size = descriptor.size
        self._policy = policy
        self._patience = patience
        self._on = on
        self._position = offset
        self._skip = 0
        self._failures = 0
        self._failed_at = offset
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes]
        self._watched_since = 0.0
        self._watched_from = 0

    async def begin(self, policy: RetryPolicy) -> Self:
        """Ask for the blob, so many times; raises `RootlessError` where it cannot be had."""
        begins = await tried(policy, lambda: self._open(self.offset))
        self.offset = self._position = begins
        return self

    async def aclose(self) -> None:
        """End the connection, or give it back where the blob has been read to its end."""
        response, self._response = self._response, None
        if response is not None:
            await end(response, self._chunks)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            try:
                chunk = await self._next()
            except Again as again:
                await self._take_up(again)
                continue
            if not chunk:
                raise StopAsyncIteration
            return chunk

    async def _next(self) -> bytes:
        """Return what comes next, empty at the end."""
        while True:
            chunk = await self._chunk()
            if not chunk:
                if self._position < self._size:
                    raise self._cut("connection to the registry was cut")
                return b""
            if self._skip:  # known already, from before the cut
                known = min(self._skip, len(chunk))
                self._skip -= known
                chunk = chunk[known:]
                if not chunk:
                    continue
            self._check_pace()
            self._position += len(chunk)
            if self._position > self._size:
                raise IntegrityError(f"blob is longer than the {self._size} bytes said", self._on)
            return chunk

    async def _chunk(self) -> bytes:
        if self._response is None:  # nothing was to be read
            return b""
        try:
            return await anext(self._chunks, b"")
        except httpx.RequestError as error:
            raise broken(error, self._response.request.url, "") from error

    async def _take_up(self, again: Again) -> None:
        """Open anew where it broke off."""
        if self._position - self._failed_at >= _PROGRESS:
            self._failures = 0
        self._failed_at = self._position
        while True:
            self._failures += 1
            await self.aclose()
            await pause(self._policy, self._failures, again)
            try:
                begins = await self._open(self._position)
            except Again as next_:
                again = next_
                continue
            self._skip = self._position - begins
            return

    async def _open(self, offset: int) -> int:
        """Open at an offset; return where the answer begins: there, or at 0."""
        if offset >= self._size:
            return offset
        response = await self._open_at(offset, self._failures)
        try:
            begins = self._begin_of(response, offset)
        except BaseException:
            await response.aclose()
            raise
        self._response = response
        self._chunks = chunks_of(response)
        self._watched_since, self._watched_from = trio.current_time(), self._position
        return begins

    def _begin_of(self, response: httpx.Response, offset: int) -> int:
        length = response.headers.get("content-length")
        if response.status_code == 200:
            if length is not None and length != str(self._size):
                raise IntegrityError(f"blob has {length} bytes, not {self._size}", self._on)
            return 0
        check_range(response, (offset, self._size - 1), self._size, self._on)
        return offset

    def _check_pace(self) -> None:
        """A body that crawls is cut off as one that stands still."""
        now = trio.current_time()
        if now - self._watched_since >= self._patience.crawl:
            if self._position - self._watched_from < _SLOWEST * self._patience.crawl:
                raise self._cut("registry sends next to nothing")
            self._watched_since, self._watched_from = now, self._position

    def _cut(self, what: str) -> Again:
        url = shown(self._response.request.url) if self._response is not None else self._on
        on = f"{url}: {self._position} of {self._size} bytes"
        return Again(RegistryError(what, on, "try again, it goes on where it stopped"))
