"""Between the kernel and pyfuse3, with a pair of sockets for the session's connection."""

import errno
import os
import socket
import struct
from collections.abc import Iterator

import pytest

from fuse import exchange as exchange_module
from fuse import wire
from fuse.exchange import Exchange

CACHE_SYMLINKS, EXPLICIT, AUTO_INVAL = 1 << 23, 1 << 25, 1 << 12


class Session:
    """A session and its exchange: the kernel's end, and the number that pyfuse3 reads."""

    def __init__(self, wanted: int = CACHE_SYMLINKS | EXPLICIT) -> None:
        self.kernel, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.kernel.setblocking(False)
        self.fd = end.detach()
        self.identity = os.fstat(self.fd).st_ino
        self.exchange = Exchange(self.fd, wanted)

    def close(self) -> None:
        """Close both ends."""
        self.exchange.close()
        os.close(self.fd)
        self.kernel.close()


@pytest.fixture
def session() -> Iterator[Session]:
    """One that wants links cached, and no contents dropped."""
    made = Session()
    yield made
    made.close()


def request(opcode: int, body: bytes = b"", unique: int = 2) -> bytes:
    """Return a request."""
    head = (wire.BODY + len(body), opcode, unique, 1, 0, 0, 0, 0, 0)
    return wire.REQUEST.pack(*head) + body


def answer(body: bytes, unique: int = 2) -> bytes:
    """Return an answer."""
    return wire.ANSWER.pack(wire.ANSWER.size + len(body), 0, unique) + body


def test_a_request_is_read_at_the_sessions_number(session: Session) -> None:
    """What is handed over is what pyfuse3 reads, whole."""
    asked = request(wire.MKDIR, b"body")
    session.exchange.hand_over(memoryview(asked))
    assert os.read(session.fd, 1 << 16) == asked


def test_an_answer_goes_to_the_kernel(session: Session) -> None:
    """What pyfuse3 writes to its number comes back to the connection, each message by itself."""
    for each in (answer(b"one"), answer(b"two", unique=4)):
        os.write(session.fd, each)
    session.exchange.bring_back()
    assert session.kernel.recv(1 << 16) == answer(b"one")
    assert session.kernel.recv(1 << 16) == answer(b"two", unique=4)


def test_nothing_to_bring_back(session: Session) -> None:
    """A request without an answer, as FORGET, leaves nothing to wait for."""
    session.exchange.bring_back()
    with pytest.raises(BlockingIOError):
        session.kernel.recv(1)


def test_the_largest_answer(session: Session) -> None:
    """The value of an extended attribute has 64 KiB at most, and fits."""
    os.write(session.fd, answer(bytes(1 << 16)))
    session.exchange.bring_back()
    assert session.kernel.recv(1 << 17) == answer(bytes(1 << 16))


def test_the_kernels_requests(session: Session) -> None:
    """They are read at a number of their own, which does not block."""
    assert session.exchange.kernel_fd != session.fd
    assert not os.get_blocking(session.exchange.kernel_fd)
    session.kernel.send(request(wire.MKDIR))
    assert os.read(session.exchange.kernel_fd, 1 << 16) == request(wire.MKDIR)


def test_no_number_is_inherited(session: Session) -> None:
    """A program that the server starts gets neither end."""
    assert not os.get_inheritable(session.fd)
    assert not os.get_inheritable(session.exchange.kernel_fd)


def test_an_answer_that_nobody_waits_for(session: Session) -> None:
    """When the connection is gone the answer is dropped; the next read says so."""
    session.kernel.close()
    os.write(session.fd, answer(b"late"))
    session.exchange.bring_back()


def test_a_request_that_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is refused as a whole, and the next one passes."""
    monkeypatch.setattr(exchange_module, "_ANSWER_BYTES", 4096)
    session = Session()
    with pytest.raises(OSError, match=os.strerror(errno.EMSGSIZE)):
        session.exchange.hand_over(memoryview(request(wire.MKDIR, bytes(1 << 20))))
    session.exchange.hand_over(memoryview(request(wire.MKDIR)))
    assert os.read(session.fd, 1 << 16) == request(wire.MKDIR)
    session.close()


def test_close_puts_everything_back(session: Session) -> None:
    """Afterwards the session's number is the connection again; closing twice is harmless."""
    assert os.fstat(session.fd).st_ino != session.identity
    session.exchange.close()
    session.exchange.close()
    assert session.exchange.kernel_fd == -1
    assert os.fstat(session.fd).st_ino == session.identity
    assert not os.get_inheritable(session.fd)
    session.kernel.send(b"to pyfuse3")
    assert os.read(session.fd, 100) == b"to pyfuse3"


def init(session: Session, offered: int, asked: int) -> int:
    """Begin a session: the kernel offers flags, pyfuse3 asks for some; return what arrives."""
    body = struct.pack("=IIII", 7, 38, 1 << 17, offered)
    session.exchange.hand_over(memoryview(request(wire.INIT, body)))
    os.read(session.fd, 1 << 16)
    os.write(session.fd, answer(struct.pack("=IIII", 7, 31, 4096, asked) + b"the rest"))
    session.exchange.bring_back()
    arrived = session.kernel.recv(1 << 16)
    assert arrived[wire.ANSWER.size + 16 :] == b"the rest"
    major, minor, readahead, flags = struct.unpack_from("=IIII", arrived, wire.ANSWER.size)
    assert (major, minor, readahead) == (7, 31, 4096)
    assert session.exchange.agreed == flags
    return int(flags)


@pytest.mark.parametrize(
    ("offered", "asked", "flags"),
    [
        (0, 1, 1),
        (0, AUTO_INVAL, AUTO_INVAL),
        (CACHE_SYMLINKS, 1, CACHE_SYMLINKS | 1),
        (CACHE_SYMLINKS | AUTO_INVAL, AUTO_INVAL, CACHE_SYMLINKS | AUTO_INVAL),
        (EXPLICIT | AUTO_INVAL, AUTO_INVAL | 1, EXPLICIT | 1),
        (1 << 30, 1, 1),
    ],
)
def test_the_sessions_beginning(session: Session, offered: int, asked: int, flags: int) -> None:
    """More is asked for than pyfuse3 does, but only what the kernel has offered."""
    assert session.exchange.agreed == 0
    assert init(session, offered, asked) == flags


def test_only_what_is_wanted() -> None:
    """Where nothing more is wanted pyfuse3's answer stays as it is."""
    session = Session(wanted=0)
    assert init(session, CACHE_SYMLINKS | AUTO_INVAL, AUTO_INVAL) == AUTO_INVAL
    session.close()


def test_only_the_first_answer(session: Session) -> None:
    """What follows the beginning is not looked into."""
    init(session, CACHE_SYMLINKS, 0)
    os.write(session.fd, answer(bytes(16)))
    session.exchange.bring_back()
    assert session.kernel.recv(1 << 16) == answer(bytes(16))


def test_a_refused_beginning(session: Session) -> None:
    """An errno in place of flags is passed on."""
    session.exchange.hand_over(memoryview(request(wire.INIT, bytes(16))))
    refusal = wire.ANSWER.pack(wire.ANSWER.size, -errno.EPROTO, 2)
    os.write(session.fd, refusal)
    session.exchange.bring_back()
    assert session.kernel.recv(1 << 16) == refusal
    assert session.exchange.agreed == 0


def test_an_answer_is_dropped(session: Session) -> None:
    """The kernel hears nothing of a request that is going to be answered later."""
    session.exchange.hand_over(memoryview(request(wire.MKDIR)))
    os.read(session.fd, 1 << 16)
    os.write(session.fd, answer(b""))
    session.exchange.drop()
    session.exchange.bring_back()
    with pytest.raises(BlockingIOError):
        session.kernel.recv(1 << 16)
    session.exchange.drop()  # nothing there: no harm


@pytest.mark.parametrize(("background", "expected"), [(0, (12, 9)), (4096, (4096, 3072))])
def test_how_many_reads_ahead_may_wait(background: int, expected: tuple[int, int]) -> None:
    """As many as asked for; else as pyfuse3 has it."""
    session = Session()
    session.exchange._background = background
    session.exchange.hand_over(memoryview(request(wire.INIT, struct.pack("=IIII", 7, 40, 0, 0))))
    os.read(session.fd, 1 << 16)
    body = struct.pack("=IIIIHH", 7, 40, 0, 0, 12, 9) + bytes(44)
    os.write(session.fd, answer(body))
    session.exchange.bring_back()
    told = session.kernel.recv(1 << 16)
    assert struct.unpack_from("=HH", told, wire.ANSWER.size + 16) == expected
    session.close()
