"""Requests answered straight, with a pair of sockets for the kernel's connection."""

import errno
import logging
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from unit.kernel_side import Kernel

from fuse import wire
from fuse.fast_path import FastPath, Then

OPCODE = 99


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """The kernel of a fast path that knows nothing yet."""
    with Kernel(FastPath()) as made:
        yield made


def answering(kernel: Kernel, body: Any) -> None:
    """Let the kind 99 be answered with this."""
    kernel.path.serve({OPCODE: lambda ino, length: body})


def raising(kernel: Kernel, error: Exception) -> None:
    """Let the kind 99 raise this."""

    def handler(ino: int, length: int) -> Any:
        raise error

    kernel.path.serve({OPCODE: handler})


def test_a_handler_gets_number_and_length(kernel: Kernel) -> None:
    """It finds the rest in the buffer, by its own layout."""
    seen = []

    def handler(ino: int, length: int) -> bytes:
        seen.append((ino, bytes(kernel.path.view[wire.BODY : length])))
        return b"done"

    kernel.path.serve({OPCODE: handler})
    assert kernel.ask(OPCODE, 7, b"body") == b"done"
    assert kernel.ask(OPCODE, 8, b"b") == b"done"
    assert seen == [(7, b"body"), (8, b"b")]


def test_an_unknown_kind_is_for_pyfuse3(kernel: Kernel) -> None:
    """It is not answered here."""
    assert not kernel.path.answer(kernel.put(OPCODE, 1))
    assert kernel.message() is None


def test_a_handler_may_leave_a_request_to_pyfuse3(kernel: Kernel) -> None:
    """NotImplemented says so."""
    answering(kernel, NotImplemented)
    assert not kernel.path.answer(kernel.put(OPCODE, 1))
    assert kernel.message() is None


def test_a_request_without_an_answer(kernel: Kernel) -> None:
    """None writes nothing; so does an interruption, which comes when all is done."""
    answering(kernel, None)
    kernel.tell(OPCODE, 1)
    kernel.tell(wire.INTERRUPT, 1)


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 100_000])
@pytest.mark.parametrize("kind", ["bytes", "one", "several", "views"])
def test_answers_of_any_size(kernel: Kernel, size: int, kind: str) -> None:
    """Small or large, in one piece or several, the kernel gets one message."""
    body = os.urandom(size)
    half = size // 2
    forms: dict[str, Any] = {
        "bytes": body,
        "one": (body,),
        "several": [body[:half], body[half:]],
        "views": [memoryview(body)[:half], memoryview(body)[half:]],
    }
    answering(kernel, forms[kind])
    assert kernel.ask(OPCODE, 1) == body
    assert kernel.message() is None


def test_what_is_done_after_an_answer(kernel: Kernel) -> None:
    """It is done when the answer is there to be read, and before the next request is."""
    seen: list[bytes | None] = []
    answering(kernel, Then(b"body", lambda: seen.append(kernel.message())))
    assert kernel.path.answer(kernel.put(OPCODE, 1))
    (message,) = seen
    assert message is not None
    assert message[wire.ANSWER.size :] == b"body"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENOSYS, errno.ERANGE])
def test_an_errno(kernel: Kernel, number: int) -> None:
    """A handler may return it or raise it: the kernel gets the same, and nothing is logged."""
    answering(kernel, number)
    with pytest.raises(OSError, match=os.strerror(number)):
        kernel.ask(OPCODE, 1)
    raising(kernel, OSError(number, "a reason"))
    with pytest.raises(OSError, match=os.strerror(number)):
        kernel.ask(OPCODE, 1)


def test_an_oserror_is_no_mistake(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    """What the core raises is an answer like any other."""
    raising(kernel, PermissionError(errno.EPERM, "no"))
    with pytest.raises(PermissionError):
        kernel.ask(OPCODE, 1)
    assert not caplog.records


def test_an_oserror_without_a_number(kernel: Kernel) -> None:
    """It is EIO."""
    raising(kernel, OSError("what"))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        kernel.ask(OPCODE, 1)


def test_anything_else_is_eio_with_a_traceback(
    kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours is answered, logged once, and the next request is answered as ever."""
    raising(kernel, ValueError("oops"))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        kernel.ask(OPCODE, 1)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert caplog.records[0].exc_info is not None
    answering(kernel, b"")
    assert kernel.ask(OPCODE, 1) == b""


def test_the_interpreters_end_passes(kernel: Kernel) -> None:
    """It is not swallowed."""

    def handler(ino: int, length: int) -> Any:
        raise SystemExit(3)

    kernel.path.serve({OPCODE: handler})
    with pytest.raises(SystemExit):
        kernel.path.answer(kernel.put(OPCODE, 1))


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENODEV, errno.ECONNABORTED, errno.ENOTCONN])
def test_an_answer_that_nobody_waits_for(
    kernel: Kernel, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request was interrupted, or the mount has ended: the answer is dropped."""

    def refuse(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    for body in (b"small", bytes(10_000), (b"pieces",), errno.EPERM):
        answering(kernel, body)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", refuse)
            patch.setattr(os, "writev", refuse)
            assert kernel.path.answer(kernel.put(OPCODE, 1))
        assert kernel.message() is None


def test_an_answer_that_the_kernel_does_not_take(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything else that a write says is not hidden: somebody would wait for good."""

    def refuse(*_: Any) -> int:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    answering(kernel, b"")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
            kernel.path.answer(kernel.put(OPCODE, 1))


def test_a_refusal(kernel: Kernel) -> None:
    """The request in the buffer is answered with an errno, by its own number."""
    kernel.put(OPCODE, 1)
    kernel.path.refuse(errno.EMSGSIZE)
    message = kernel.message()
    assert message is not None
    assert wire.ANSWER.unpack(message) == (16, -errno.EMSGSIZE, kernel._unique)


@pytest.mark.parametrize("contents", [b"", b"contents", memoryview(bytes(70_000))])
def test_contents_are_stored(kernel: Kernel, contents: bytes | memoryview) -> None:
    """A store is a message of its own: number, offset, size, and the contents behind them."""
    kernel.path.store(5, 4096, contents)
    message = kernel.message()
    assert message is not None
    head = wire.ANSWER.size + wire.STORE.size
    assert wire.ANSWER.unpack_from(message) == (len(message), wire.NOTIFY_STORE, 0)
    assert wire.STORE.unpack_from(message, wire.ANSWER.size) == (5, 4096, len(contents), 0)
    assert message[head:] == contents


def test_a_store_that_the_kernel_refuses() -> None:
    """What it says is raised: it may not know the object."""
    path = FastPath()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    path.attach(theirs.fileno())
    ours.close()
    with pytest.raises(BrokenPipeError):
        path.store(5, 0, b"contents")
    theirs.close()


def test_names_end_a_request(kernel: Kernel) -> None:
    """The zero byte that ends them is not a part of them."""
    length = kernel.put(OPCODE, 1, b"skipped name\0")
    assert kernel.path.name(wire.BODY + 8, length) == b"name"


@pytest.mark.parametrize("size", [0, 4, 5, 6])
def test_extended_attributes(kernel: Kernel, size: int) -> None:
    """Asked with no room the answer is the size; else the value, or ERANGE where it is longer."""
    kernel.path.serve({OPCODE: lambda ino, length: kernel.path.xattr_answer(b"value")})
    body = wire.GETXATTR_IN.pack(size, 0)
    if size == 0:
        assert struct.unpack("=II", kernel.ask(OPCODE, 1, body)) == (5, 0)
    elif size < 5:
        with pytest.raises(OSError, match=os.strerror(errno.ERANGE)):
            kernel.ask(OPCODE, 1, body)
    else:
        assert kernel.ask(OPCODE, 1, body) == b"value"


def test_the_largest_request_fits() -> None:
    """A write of 1 MiB, the most that libfuse agrees to, and its head."""
    assert len(FastPath().buffer) >= (1 << 20) + wire.BODY + wire.WRITE_IN.size
