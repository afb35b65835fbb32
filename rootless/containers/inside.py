"""Bytes that are made, or taken, in another process: one inside of a container's user namespace.

An upperdir holds files of the user's sub-IDs, which only a process in such a namespace can reach,
and only there do owners have the numbers that the container sees.

The end of what is made is told only once that process has ended well: its error is raised in place
of an end, so that what was cut off is never taken for whole.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from rootless.errors import RootlessError
from rootless.image.byte_stream import Source
from rootless.image.store import write_all
from rootless.linux.channel import Channel
from rootless.userns.create import Child, fork_into
from rootless.userns.maps import Maps

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Body = Callable[[int], Iterable[str] | None]
"""Works on a descriptor; returns what people should be told."""

_MOST_SAID = 20
_LONGEST_SAID = 500


class InsideStream(Source):
    """What a function writes to a descriptor, in a process of its own.

    Args:
        maps: The maps of its new user namespace; None for ours.
        write: Called there. It must not change what belongs to this process.

    Attributes:
        said: What it has to tell, once the end was reached.
    """

    def __init__(self, maps: Maps | None, write: Body) -> None:
        super().__init__()
        self.said: list[str] = []
        self._fd, other_end = os.pipe2(os.O_CLOEXEC)
        self._child: Child | None = None
        try:
            self._child = _fork(maps, write, other_end, self._fd)
        except BaseException:
            os.close(self._fd)
            raise
        finally:
            os.close(other_end)

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on; 0 at the end. Raises what went wrong there."""
        n = os.readv(self._fd, [buffer])
        if n == 0 and memoryview(buffer):
            child, self._child = self._child, None
            if child is not None:
                self.said = _ended(child)
        return n

    def close(self) -> None:
        """End the process, if it has not ended."""
        if not self.closed:
            child, self._child = self._child, None
            if child is not None:
                child.kill()
            with suppress(OSError):
                os.close(self._fd)
        super().close()


def feed(maps: Maps | None, read: Body, chunks: Iterable[bytes]) -> list[str]:
    """Give bytes to a function that reads them from a descriptor, in a process of its own.

    Args:
        maps: The maps of its new user namespace; None for ours.
        read: Called there. It must not change what belongs to this process.
        chunks: What it is given.

    Returns:
        What it has to tell.
    """
    other_end, fd = os.pipe2(os.O_CLOEXEC)
    try:
        try:
            child = _fork(maps, read, other_end, fd)
        finally:
            os.close(other_end)
        try:
            with suppress(BrokenPipeError):  # it has ended, and tells why
                for chunk in chunks:
                    write_all(fd, chunk)
        except BaseException:
            child.kill()
            raise
    finally:
        os.close(fd)
    return _ended(child)


def _fork(maps: Maps | None, body: Body, fd: int, other_end: int) -> Child:
    def run(channel: Channel) -> int:
        os.close(other_end)
        said = [text[:_LONGEST_SAID] for text in body(fd) or ()]
        more = len(said) - _MOST_SAID
        if more > 0:
            said = [*said[:_MOST_SAID], f"and {more} more"]
        if said:
            channel.send({"said": said})
        return 0

    return fork_into(maps, run)


def _ended(child: Child) -> list[str]:
    """Wait for the end; return what was said, raise what went wrong."""
    try:
        received = child.channel.receive()
    except BaseException:
        child.kill()
        raise
    status = child.wait()
    message = received[0] if received is not None else {}
    if "error" in message:
        raise RootlessError.from_record(message["error"])
    if status != 0:
        raise RootlessError("a process in the user namespace was ended", f"status {status}")
    return list(message.get("said", ()))
