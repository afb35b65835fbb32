"""`rootless.lazy.requests`: records of the server, however the stream cuts them."""

import errno
import struct

import pytest

from rootless.lazy.requests import Request, RequestReader, answer

FIRST = Request(0, 1, 4096, 131072)
SECOND = Request(3, 2, 1 << 40, 1)


@pytest.mark.parametrize("step", [1, 7, 24, 100])
def test_records_are_put_together(step: int) -> None:
    """Requests come out whole and in order, whatever pieces they come in."""
    data = b"".join(
        struct.pack("<IIQQ", r.layer, r.number, r.offset, r.length) for r in (FIRST, SECOND)
    )
    reader = RequestReader()
    got: list[Request] = []
    for begin in range(0, len(data), step):
        got += reader.feed(data[begin : begin + step])
    assert got == [FIRST, SECOND]


def test_an_answer() -> None:
    """It names the request, and says whether the bytes are there."""
    assert answer(SECOND, errno.EIO) == struct.pack("<IIi4x", 3, 2, errno.EIO)
