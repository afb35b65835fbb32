"""One pass over a layer on more than one core: read and decompress, hash and write, index.

Three threads with short queues of 1 MiB chunks between them. Decompression, SHA-256 and write(2)
release the GIL, so the index builder, which is Python, has it nearly for itself.
"""

import hashlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from rootless.image import writeback
from rootless.image.byte_stream import ByteStream, Source, drain
from rootless.image.decompress import opened
from rootless.image.store import write_all
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from rootless.image.layers import ChunkTableWriter

CHUNK = 1 << 20
_DEPTH = 8
_JOIN_S = 1.0  # a reader that waits for a pipe which nobody fills is left to itself


class _AbandonedError(Exception):
    """The other end of a channel has failed; it has the cause."""


class _Channel:
    """A bounded queue of chunks; either end may give up without leaving the other one waiting."""

    def __init__(self) -> None:
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._room = threading.Semaphore(_DEPTH)
        self._is_abandoned = False

    def put(self, chunk: bytes) -> None:
        self._room.acquire()
        if self._is_abandoned:
            raise _AbandonedError
        self._chunks.put(chunk)

    def end(self) -> None:
        self._chunks.put(b"")

    def abandon(self) -> None:
        self._is_abandoned = True
        self._room.release()

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._chunks.get():
            yield chunk
            self._room.release()


class Tap(Source):
    """Passes a stream through and keeps its digest and size.

    Attributes:
        size: Bytes that came so far.
    """

    def __init__(self, raw: ByteStream, advance: Callable[[int], None]) -> None:
        super().__init__()
        self._raw = raw
        self._advance = advance
        self._hash = hashlib.sha256()
        self.size = 0

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read and take note."""
        n = self._raw.readinto(buffer) or 0
        self._hash.update(memoryview(buffer)[:n])
        self.size += n
        self._advance(n)
        return n

    def digest(self) -> Digest:
        """Return the digest of what came so far."""
        return Digest("sha256:" + self._hash.hexdigest())


class LayerPipeline:
    """Decompresses a stream into a file, and hands each chunk to the caller as well.

    Args:
        tap: The layer as it comes, compressed or not.
        what: What it is, for messages.
        fd: Where the tar is written.
        points: Takes seek points of what comes as gzip.

    Attributes:
        size: Bytes of the tar that were written.
    """

    def __init__(
        self, tap: Tap, what: str, fd: int, points: "ChunkTableWriter | None" = None
    ) -> None:
        self._tap = tap
        self._points = points
        self._what = what
        self._fd = fd
        self._hash = hashlib.sha256()
        self.size = 0
        self._to_disk = _Channel()
        self._to_caller = _Channel()
        self._errors: list[BaseException] = []
        self._threads = (
            threading.Thread(target=self._guard, args=(self._write,), daemon=True),
            threading.Thread(target=self._guard, args=(self._read,), daemon=True),
        )

    def digest(self) -> Digest:
        """Return the digest of the tar, once `chunks` has ended."""
        return Digest("sha256:" + self._hash.hexdigest())

    def has_ended(self) -> bool:
        """Return whether nobody reads from the tap any more."""
        return not any(thread.is_alive() for thread in self._threads)

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the tar's chunks; at the end everything is written.

        Raises:
            IntegrityError: The compressed data is damaged.
            OSError: Reading or writing failed.
        """
        for thread in self._threads:
            thread.start()
        try:
            yield from self._to_caller
            for thread in self._threads:
                thread.join()
        finally:
            self._to_disk.abandon()
            self._to_disk.end()
            self._to_caller.abandon()
            for thread in self._threads:
                thread.join(_JOIN_S)
        causes = [e for e in self._errors if not isinstance(e, _AbandonedError)]
        if causes:
            raise causes[0]

    def _read(self) -> None:
        try:
            with opened(self._tap, self._what, self._points) as stream:
                while chunk := stream.read(CHUNK):
                    self._to_disk.put(chunk)
                    self._to_caller.put(chunk)
            drain(self._tap)  # what a decompressor left unread belongs to the digest
        finally:
            self._to_disk.end()
            self._to_caller.end()

    def _write(self) -> None:
        begun = 0
        try:
            for chunk in self._to_disk:
                self._hash.update(chunk)
                write_all(self._fd, chunk)
                self.size += len(chunk)
                if self.size - begun >= writeback.STEP:
                    writeback.begin(self._fd, begun, self.size - begun)
                    begun = self.size
        finally:
            self._to_disk.abandon()

    def _guard(self, work: Callable[[], None]) -> None:
        """Run a thread's work; what it raises is raised by `chunks`."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
            self._errors.append(error)
