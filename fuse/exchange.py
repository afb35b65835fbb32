"""Between the kernel's connection and pyfuse3: who reads what.

A request that was read from /dev/fuse cannot be put back, and pyfuse3 reads the session's
descriptor by itself. So that descriptor's number is given to one end of a pair of sockets, which
keep messages apart as /dev/fuse does, and the connection itself gets another number: the pump reads
requests there, hands those that the fast path does not answer to pyfuse3 through the sockets, and
brings its answers back. One request is under way at a time.

pyfuse3 and libfuse know nothing of it. Before the session is closed everything is put back, since
libfuse asks the descriptor itself whether the mount is still there.
"""

import contextlib
import fcntl
import os
import socket
import struct

from . import wire
from .fast_path import room

_ANSWER_BYTES = 256 << 10  # the largest is the value of an extended attribute, 64 KiB

# fuse_init_in: major, minor, max_readahead, flags
_INIT_IN = struct.Struct("=IIII")
# The same beginning in fuse_init_out
_INIT_OUT = struct.Struct("=IIII")
_BACKGROUND = struct.Struct("=HH")  # what follows there: max_background, congestion_threshold


class Exchange:
    """The two readers of a session's requests.

    Args:
        session_fd: The session's descriptor, as pyfuse3 knows it.
        wanted: What to ask the kernel for, beyond what pyfuse3 can (flags of INIT).
        background: How many requests nobody waits for, read-ahead, may be open at once; 0: as many
            as the kernel has it.

    Attributes:
        kernel_fd: The kernel's connection; does not block.
        agreed: What both sides of the session have agreed on (flags of INIT); 0 before.
    """

    def __init__(self, session_fd: int, wanted: int = 0, background: int = 0) -> None:
        self._session_fd = session_fd
        self._wanted = wanted
        self._background = background
        self.kernel_fd = fcntl.fcntl(session_fd, fcntl.F_DUPFD_CLOEXEC, 0)
        os.set_blocking(self.kernel_fd, False)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for each in (self._ours, theirs):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ANSWER_BYTES)
        os.dup2(theirs.fileno(), session_fd, inheritable=False)
        theirs.close()
        self._buffer = room(_ANSWER_BYTES)
        self._offered: int | None = None
        self.agreed = 0

    def hand_over(self, request: memoryview) -> None:
        """Give pyfuse3 a request to read; raises OSError where it is too large."""
        self._ours.send(request)
        _, opcode, *_ = wire.REQUEST.unpack_from(request)
        if opcode == wire.INIT:
            self._offered = _INIT_IN.unpack_from(request, wire.BODY)[3]

    def bring_back(self) -> None:
        """Give the kernel what pyfuse3 has answered."""
        while True:
            try:
                length = self._ours.recv_into(self._buffer, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if self._offered is not None:
                self._amend_init(length, self._offered)
                self._offered = None
            try:
                os.write(self.kernel_fd, memoryview(self._buffer)[:length])
            except OSError:
                continue  # nobody waits for it any more, or the mount is gone: the next read says

    def drop(self) -> None:
        """Throw away what pyfuse3 has answered: the request is going to be answered later."""
        with contextlib.suppress(BlockingIOError):
            self._ours.recv_into(self._buffer, 0, socket.MSG_DONTWAIT)

    def close(self) -> None:
        """Put the connection back under its first number."""
        self._ours.close()
        if self.kernel_fd >= 0:
            os.dup2(self.kernel_fd, self._session_fd, inheritable=False)
            os.close(self.kernel_fd)
            self.kernel_fd = -1

    def _amend_init(self, length: int, offered: int) -> None:
        """Ask for more, where the kernel offers it."""
        start = wire.ANSWER.size
        if length < start + _INIT_OUT.size:
            return  # a refusal
        major, minor, readahead, flags = _INIT_OUT.unpack_from(self._buffer, start)
        flags |= offered & self._wanted
        if flags & wire.EXPLICIT_INVAL_DATA:
            flags &= ~wire.AUTO_INVAL_DATA  # of the two, it would win
        self.agreed = flags
        _INIT_OUT.pack_into(self._buffer, start, major, minor, readahead, flags)
        if self._background and length >= start + _INIT_OUT.size + _BACKGROUND.size:
            limits = (self._background, self._background * 3 // 4)
            _BACKGROUND.pack_into(self._buffer, start + _INIT_OUT.size, *limits)
