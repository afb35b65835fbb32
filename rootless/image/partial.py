"""A blob while it is being downloaded: `partial/HEX`, written by one process and kept.

The file has the blob's name from its first byte on, and stays when the network fails, the disk is
full, or the process is killed: the next download goes on behind its last byte. Who writes it has
locked it. What lies in it is not verified: that is done by who follows it, who reads each byte once
on its way through decompression, digests and index, while later ones are still to come.

One thread appends, another follows, and ends with an error when the first gives up.
"""

import os
import re
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from rootless.image import lock
from rootless.image.byte_stream import Source
from rootless.image.store import Store, write_all
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import WriteableBuffer

KEPT_S = 7 * 86400
"""How long a download that nobody goes on with is kept."""


class AbandonedError(Exception):
    """Who appends has given up, and has the cause."""


class Partial:
    """The beginning of a blob, locked for who appends to it.

    Attributes:
        path: Where it lies.
        size: Bytes that are there.
    """

    def __init__(self, path: "Path", fd: int) -> None:
        self.path = path
        self.size = os.fstat(fd).st_size
        self._fd = fd
        self._changed = threading.Condition()
        self._is_whole = False
        self._is_abandoned = False

    @classmethod
    def open(cls, store: Store, digest: Digest, size: int) -> "Partial | None":
        """Open, or begin, the download of a blob of *size* bytes; None while another writes it."""
        path = store.partial_path(digest)
        with explain(path):
            while True:
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
                if not lock.try_lock(fd):
                    os.close(fd)
                    return None
                if os.fstat(fd).st_nlink:
                    break
                os.close(fd)  # just removed by the one who had locked it
            partial = cls(path, fd)
            if partial.size > size:
                partial.clear()
        return partial

    def append(self, data: bytes) -> None:
        """Take further bytes; raises StoreError."""
        with explain(self.path):
            os.lseek(self._fd, self.size, os.SEEK_SET)
            write_all(self._fd, data)
        with self._changed:
            self.size += len(data)
            self._changed.notify_all()

    def end(self) -> None:
        """Tell who follows that the blob is whole."""
        with self._changed:
            self._is_whole = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Tell who follows that nothing comes any more."""
        with self._changed:
            self._is_abandoned = True
            self._changed.notify_all()

    def follow(self) -> "Follower":
        """Return the blob as a stream from its first byte to its last, which may be to come."""
        return Follower(self)

    def clear(self) -> None:
        """Begin anew; nobody may follow."""
        with explain(self.path):
            os.ftruncate(self._fd, 0)
        self.size = 0
        self._is_whole = self._is_abandoned = False

    def remove(self) -> None:
        """Take the file away."""
        with explain(self.path), suppress(FileNotFoundError):
            self.path.unlink()

    def close(self) -> None:
        """Let go of the file, which stays unless it is empty."""
        if self._fd >= 0:
            if self.size == 0 and os.fstat(self._fd).st_nlink:
                with suppress(OSError):
                    self.path.unlink()
            os.close(self._fd)
            self._fd = -1

    def read_at(self, buffer: "WriteableBuffer", offset: int) -> int:
        """Wait for what comes at *offset*, and read it; return 0 at the end of the blob."""
        view = memoryview(buffer)
        with self._changed:
            self._changed.wait_for(
                lambda: self.size > offset or self._is_whole or self._is_abandoned
            )
            if self._is_abandoned:
                raise AbandonedError
            view = view[: self.size - offset]
        if not view:
            return 0
        with explain(self.path):
            return os.preadv(self._fd, [view], offset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Follower(Source):
    """A blob read while it comes."""

    def __init__(self, partial: Partial) -> None:
        super().__init__()
        self._partial = partial
        self._offset = 0

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on; waits for what is not there yet."""
        n = self._partial.read_at(buffer, self._offset)
        self._offset += n
        return n


def size_so_far(store: Store, digest: Digest) -> int:
    """Return how much of a blob is there, whoever downloads it."""
    try:
        return store.partial_path(digest).stat().st_size
    except OSError:
        return 0


def drop(store: Store, digest: Digest) -> None:
    """Remove the download of a blob whose layer is there; a pull was killed just before it did."""
    _remove_if_old(store.partial_path(digest), time.time())


def sweep(store: Store, *, older_than_s: float = KEPT_S) -> int:
    """Remove downloads that nobody goes on with; return the bytes freed."""
    folder = store.root / "partial"
    freed = 0
    with explain(folder), suppress(FileNotFoundError):
        for path in filter(_is_named_for_a_digest, folder.iterdir()):
            freed += _remove_if_old(path, time.time() - older_than_s)
    return freed


def _is_named_for_a_digest(path: "Path") -> bool:
    """Tell whether it can be a download: with ROOTLESS_HOME=~ the user's own ~/partial is there."""
    return re.fullmatch("[0-9a-f]{64}", path.name) is not None


def _remove_if_old(path: "Path", before: float) -> int:
    with suppress(FileNotFoundError):
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            status = os.fstat(fd)
            if status.st_mtime <= before and lock.try_lock(fd):
                path.unlink()
                return status.st_size
        finally:
            os.close(fd)
    return 0
