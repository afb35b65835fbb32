"""Bytes that are made inside a container's user namespace, read here.

An upperdir holds files of the user's sub-IDs, which only a process in such a namespace can read,
and only there do owners have the numbers that the container sees.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from rootless.errors import RootlessError
from rootless.image.byte_stream import Source
from rootless.linux.channel import Channel
from rootless.userns.create import Child, fork_into
from rootless.userns.maps import Maps

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_READ_END, _WRITE_END = 0, 1


class InsideStream(Source):
    """What a function writes to a descriptor, in a process of a new user namespace.

    The end is told only once that process has ended well: its error is raised in place of an end,
    so that what was cut off is never taken for whole.

    Args:
        maps: The namespace's maps.
        write: Called there with the descriptor. It must not change what belongs to this process.
    """

    def __init__(self, maps: Maps, write: Callable[[int], None]) -> None:
        super().__init__()
        ends = os.pipe2(os.O_CLOEXEC)
        self._fd = ends[_READ_END]

        def body(channel: Channel) -> int:
            del channel
            os.close(ends[_READ_END])
            write(ends[_WRITE_END])
            return 0

        try:
            self._child: Child | None = fork_into(maps, body)
        except BaseException:
            os.close(self._fd)
            raise
        finally:
            os.close(ends[_WRITE_END])

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on; 0 at the end. Raises what went wrong there."""
        n = os.readv(self._fd, [buffer])
        if n == 0 and memoryview(buffer):
            self._end()
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

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        try:
            received = child.channel.receive()
        except BaseException:
            child.kill()
            raise
        status = child.wait()
        if received is not None and "error" in received[0]:
            raise RootlessError.from_record(received[0]["error"])
        if status != 0:
            raise RootlessError("a process in the user namespace was ended", f"status {status}")
