"""`rootless.image.byte_stream`: streams that give less than was asked for."""

import io
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from rootless.image.byte_stream import Chunked, Prefixed, Source, drain, read_up_to

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Dripping(Source):
    """Gives its parts one by one, as a pipe does."""

    def __init__(self, *parts: bytes) -> None:
        super().__init__()
        self._parts = iter(parts)

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Give one part, which must fit."""
        part = next(self._parts, b"")
        memoryview(buffer)[: len(part)] = part
        return len(part)


def test_a_source_reads_what_readinto_gives() -> None:
    """One read is one `readinto`; `readall` goes to the end."""
    stream = Dripping(b"ab", b"c", b"de")
    assert stream.readable()
    assert stream.read(10) == b"ab"
    assert stream.readall() == b"cde"
    assert stream.read(10) == b""


def test_read_up_to_goes_on_after_short_reads() -> None:
    """Exactly what was asked for comes, however little each read gives; less only at the end."""
    stream = Dripping(b"ab", b"cd", b"e", b"f")
    assert read_up_to(stream, 4) == b"abcd"
    assert read_up_to(stream, 4) == b"ef"
    assert read_up_to(stream, 4) == b""


def test_read_up_to_leaves_the_rest() -> None:
    """Nothing beyond what was asked for is taken out of the stream."""
    stream = io.BytesIO(b"x" * (3 << 20) + b"rest")
    assert len(read_up_to(stream, 3 << 20)) == 3 << 20
    assert stream.read() == b"rest"
    assert read_up_to(stream, 0) == b""


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_bytes_put_back_come_first(size: int) -> None:
    """Whatever the size of the reads, the prefix comes once, then the rest."""
    stream = Prefixed(b"abc", Dripping(b"de", b"f"))
    found = b""
    while part := stream.read(size if len(found) < 3 else 100):
        found += part
    assert found == b"abcdef"


def test_nothing_put_back() -> None:
    """An empty prefix is not taken for the end."""
    assert Prefixed(b"", Dripping(b"a")).readall() == b"a"


def test_drain() -> None:
    """Afterwards the stream is at its end."""
    stream = io.BytesIO(bytes((2 << 20) + 1))
    drain(stream)
    assert stream.read() == b""


@pytest.mark.parametrize("step", [1, 3, 7, 100])
def test_the_stream(step: int) -> None:
    """Every read fills its buffer, wherever the chunks end."""
    data = bytes(range(50))
    with Chunked(data[start : start + 4] for start in range(0, 50, 4)) as stream:
        parts = list(iter(lambda: stream.read(step), b""))
    assert b"".join(parts) == data
    assert all(len(part) == step for part in parts[:-1])
    assert isinstance(stream, io.RawIOBase)


def test_it_ends_what_it_reads() -> None:
    """A stream that is closed early ends its generator."""
    ended = []

    def chunks() -> Generator[bytes, None, None]:
        try:
            yield b"x"
            yield b"y"
        finally:
            ended.append(True)

    with Chunked(chunks()) as stream:
        stream.read(1)
    assert ended == [True]
