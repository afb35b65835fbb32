"""The fast path: frequent requests answered straight from the kernel's messages.

pyfuse3 needs 35 µs for a request around the file system's own work: a coroutine, an object of
attributes with a setter call for each field, a reply put together field by field. Most requests
are a handful of kinds that need none of this. Those are read here from the kernel's own message
(`wire`) and answered with one write, in about 6 µs; everything else goes to pyfuse3 (`exchange`).

A handler gets the object's number and the length of the message, and returns the answer's body:

- bytes or a view, or a list of such to be written one after the other;
- a `Piece` of a file, to be moved without passing through here;
- one of these with something to be done when it is written (`Then`): the client works meanwhile;
- a positive int: the errno;
- None: the request has no answer (FORGET);
- NotImplemented: pyfuse3 shall have it.

A handler that raises `Absent` is called again when what it needs is there: its request is put aside
(`waiting`).

It is also this module's part to be the boundary that `boundary` is for pyfuse3's handlers: whatever
is raised becomes an answer, so that nobody waits for good.
"""

import errno
import logging
import mmap
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from . import wire
from .layer_bytes import Absent
from .splice import Piece, Splicer

if TYPE_CHECKING:
    from .waiting import Waiting

log = logging.getLogger(__name__)

BUFFER_BYTES = (1 << 20) + (1 << 16)
"""The largest request: the largest write that libfuse agrees to, and its head."""

Handler = Callable[[int, int], Any]

DONE = b""
"""The answer that says nothing but that it is done."""

_SMALL = 8192  # below, one buffer is cheaper than two


class Then(NamedTuple):
    """An answer, and what is to be done once it is written, which must not raise.

    It is done before the next request is read: whatever the answer leads to comes later.
    """

    body: bytes | memoryview
    then: Callable[[], None]


def room(size: int) -> mmap.mmap:
    """Return a buffer that takes memory where it is written to; a bytearray is cleared at once."""
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


class FastPath:
    """Answers requests from one buffer, each before the next is read.

    Attributes:
        buffer: Where requests are read into.
        view: The same, to take pieces of without copying.
        wanted: What the kernel is asked for when the session begins (flags of INIT). Targets of
            symbolic links are cached; and contents stay cached when a file's time of modification
            changes, as it changes by what goes through this mount alone.
        agreed: What was agreed on then.
        waiting: Where requests are put aside; None where nothing is ever absent.
    """

    def __init__(self) -> None:
        self.buffer = room(BUFFER_BYTES)
        self.view = memoryview(self.buffer)
        self._splicer = Splicer()
        self._contents = memoryview(room(BUFFER_BYTES))
        self.wanted = wire.CACHE_SYMLINKS | wire.EXPLICIT_INVAL_DATA
        self.agreed = 0
        self.waiting: Waiting | None = None
        self._fd = -1
        self._handlers: dict[int, Handler] = {wire.INTERRUPT: self._interrupt}

    def attach(self, kernel_fd: int) -> None:
        """Take the descriptor of the kernel's connection, which stays the caller's."""
        self._fd = kernel_fd

    def serve(self, handlers: Mapping[int, Handler]) -> None:
        """Answer these kinds of request from now on."""
        self._handlers.update(handlers)

    def answer(self, length: int) -> bool:
        """Answer the request in the buffer; return False where it is not for here."""
        opcode, unique, ino = wire.HEAD.unpack_from(self.buffer)
        handler = self._handlers.get(opcode)
        if handler is None:
            return False
        try:
            body = handler(ino, length)
        except Absent as absent:
            return self.put_aside(absent)
        except OSError as error:
            body = error.errno or errno.EIO
        except Exception:
            log.exception("a request failed with EIO")
            body = errno.EIO
        if body is NotImplemented:
            return False
        if body is not None:
            if isinstance(body, Then):
                self._write(unique, body.body)
                body.then()
            else:
                self._write(unique, body)
        return True

    def put_aside(self, absent: Absent) -> bool:
        """Let the request in the buffer wait, or fail where it cannot; returns True."""
        number = errno.EIO
        if self.waiting is not None:
            length, *_ = wire.REQUEST.unpack_from(self.buffer)
            number = self.waiting.put(bytes(self.view[:length]), absent)
        if number:
            self.refuse(number)
        return True

    def take(self, message: bytes) -> None:
        """Put a request into the buffer as if it had just been read."""
        self.view[: len(message)] = message

    def refuse(self, number: int) -> None:
        """Answer the request in the buffer with an errno."""
        self._write(wire.REQUEST.unpack_from(self.buffer)[2], number)

    def store(self, ino: int, offset: int, contents: "bytes | memoryview") -> None:
        """Put contents into the kernel's page cache (FUSE_NOTIFY_STORE).

        Raises FileNotFoundError where the kernel does not know the object.
        """
        size = len(contents)
        head = wire.STORE.pack(ino, offset, size, 0)
        total = wire.ANSWER.size + len(head) + size
        head = wire.ANSWER.pack(total, wire.NOTIFY_STORE, 0) + head
        os.writev(self._fd, (head, contents))

    def contents(self, size: int) -> memoryview:
        """Return room for the answer to a read; a new buffer for each would cost page faults."""
        return self._contents[:size]

    def name(self, start: int, length: int) -> bytes:
        """Return the name that ends a request, from a place on; its zero byte is left out."""
        return bytes(self.view[start : length - 1])

    def xattr_answer(self, value: bytes) -> bytes | int:
        """Return the answer to GETXATTR or LISTXATTR: a value, its size, or that it is too long."""
        size, _ = wire.GETXATTR_IN.unpack_from(self.buffer, wire.BODY)
        if size == 0:
            return wire.SIZE.pack(len(value), 0)
        return value if len(value) <= size else errno.ERANGE

    def _write(
        self,
        unique: int,
        body: "bytes | memoryview | int | Piece | Sequence[bytes | memoryview]",
    ) -> None:
        try:
            if isinstance(body, (bytes, memoryview)):
                head = wire.ANSWER.pack(wire.ANSWER.size + len(body), 0, unique)
                if len(body) < _SMALL:
                    os.write(self._fd, head + body)
                else:
                    os.writev(self._fd, (head, body))
            elif isinstance(body, int):
                os.write(self._fd, wire.ANSWER.pack(wire.ANSWER.size, -body, unique))
            elif isinstance(body, Piece):
                self._move(unique, body)
            else:
                size = wire.ANSWER.size + sum(map(len, body))
                os.writev(self._fd, (wire.ANSWER.pack(size, 0, unique), *body))
        except FileNotFoundError:
            log.debug("an answer that nobody waits for any more")
        except OSError as error:
            if error.errno not in _MOUNT_ENDED:
                raise

    def _move(self, unique: int, piece: Piece) -> None:
        head = wire.ANSWER.pack(wire.ANSWER.size + piece.size, 0, unique)
        try:
            self._splicer.send(self._fd, head, piece)
        except OSError as error:
            if error.errno == errno.ENOENT or error.errno in _MOUNT_ENDED:
                raise
            # A file system that cannot splice, or a file that has become shorter
            contents = os.pread(piece.fd, piece.size, piece.offset)
            self._write(unique, (contents,) if len(contents) == piece.size else errno.EIO)

    def _interrupt(self, ino: int, length: int) -> None:
        """End the waiting of a request; any other has been answered before this."""
        del ino, length
        if self.waiting is not None:
            (unique,) = wire.NUMBER.unpack_from(self.buffer, wire.BODY)
            if self.waiting.interrupt(unique):
                self._write(unique, errno.EINTR)


_MOUNT_ENDED = (errno.ENODEV, errno.ECONNABORTED, errno.ENOTCONN)
