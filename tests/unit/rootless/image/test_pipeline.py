"""`rootless.image.pipeline`: three threads, and what becomes of an error in any of them."""

import gzip
import io
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rootless.errors import IntegrityError
from rootless.image import pipeline
from rootless.image.byte_stream import ByteStream, Source
from rootless.image.pipeline import CHUNK, LayerPipeline, Tap
from rootless.oci.digest import sha256_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Zeros(Source):
    """Gives zeros without end, or up to a size, and then an error of the kernel if there is one."""

    def __init__(self, size: int = 1 << 60, error: Exception | None = None) -> None:
        super().__init__()
        self._left = size
        self._error = error

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer."""
        n = min(self._left, len(memoryview(buffer)))
        if n == 0 and self._error is not None:
            raise self._error
        self._left -= n
        memoryview(buffer)[:n] = bytes(n)
        return n


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """A file for the tar."""
    fd = os.open(tmp_path / "tar", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


def over(raw: ByteStream, fd: int) -> LayerPipeline:
    """Return a pipeline from a stream to a file."""
    return LayerPipeline(Tap(raw, lambda _: None), "layer", fd)


def consumed(layer: LayerPipeline) -> bytes:
    """Take all chunks."""
    return b"".join(layer.chunks())


@pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK + 1])
def test_everything_arrives_three_times(size: int, fd: int) -> None:
    """The caller, the file and the digest have the same tar; the tap has what came."""
    content = os.urandom(size)
    data = gzip.compress(content, 1) + bytes(600)  # padding belongs to what came
    advanced: list[int] = []
    tap = Tap(io.BytesIO(data), advanced.append)
    layer = LayerPipeline(tap, "layer", fd)
    assert consumed(layer) == content
    assert os.pread(fd, size + 1, 0) == content
    assert (layer.size, layer.digest()) == (size, sha256_of(content))
    assert (tap.size, tap.digest()) == (len(data), sha256_of(data))
    assert sum(advanced) == len(data)
    assert layer.has_ended()


def test_reads_ahead_only_so_far(fd: int) -> None:
    """A slow caller holds up the reader: what waits in memory is bounded."""
    tap = Tap(Zeros(40 * CHUNK), lambda _: None)
    layer = LayerPipeline(tap, "layer", fd)
    taken, most = 0, 0
    for chunk in layer.chunks():
        taken += len(chunk)
        most = max(most, tap.size - taken)
    assert taken == 40 * CHUNK
    assert most <= 10 * CHUNK


def test_damaged_data(fd: int) -> None:
    """Damage that the reading thread finds is raised to the caller, after the chunks before it."""
    content = os.urandom(2 * CHUNK)
    data = bytearray(gzip.compress(content, 1))
    data[-6] ^= 1
    layer = over(io.BytesIO(data), fd)
    taken: list[bytes] = []
    with pytest.raises(IntegrityError, match="gzip data is damaged: layer"):
        taken.extend(layer.chunks())
    assert taken
    assert content.startswith(b"".join(taken))
    assert layer.has_ended()


def test_an_error_of_the_source(fd: int) -> None:
    """What the kernel says to the reading thread is what the caller gets."""
    layer = over(Zeros(3 * CHUNK, OSError(5, "Input/output error")), fd)
    with pytest.raises(OSError, match="Input/output error"):
        consumed(layer)
    assert layer.has_ended()


def test_an_error_of_our_own(fd: int) -> None:
    """Any exception of a thread reaches the caller; none is printed and lost."""

    def fail(_: int) -> None:
        raise ZeroDivisionError

    layer = LayerPipeline(Tap(Zeros(), fail), "layer", fd)
    with pytest.raises(ZeroDivisionError):
        consumed(layer)


@pytest.mark.parametrize("size", [1, 1 << 60])
def test_a_full_disk(size: int) -> None:
    """Where the file takes nothing the source is not read on, and the cause is said."""
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        layer = over(Zeros(size), fd)
        with pytest.raises(OSError, match="No space left on device"):
            consumed(layer)
        assert layer.has_ended()
    finally:
        os.close(fd)


@pytest.mark.parametrize("taken", [1, 20])
def test_a_caller_that_gives_up(taken: int, fd: int) -> None:
    """When the caller stops, the threads stop too, however much there is to read."""
    layer = over(Zeros(), fd)
    with closing(layer.chunks()) as chunks:
        for _ in range(taken):
            assert next(chunks)
    assert layer.has_ended()


def test_an_error_of_the_caller(fd: int) -> None:
    """The caller's own exception is not replaced by what its giving up causes."""
    layer = over(Zeros(), fd)

    def give_up() -> None:
        with closing(layer.chunks()) as chunks:
            next(chunks)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_up()
    assert layer.has_ended()


def test_a_pipe_that_nobody_fills(
    fd: int,
    monkeypatch: pytest.MonkeyPatch,
    wait_until: Callable[[Callable[[], bool]], None],
) -> None:
    """A caller that gives up does not wait for a source that says nothing, only for a moment."""
    monkeypatch.setattr(pipeline, "_JOIN_S", 0.02)
    source, writer = os.pipe()
    with open(source, "rb", buffering=0) as raw, open(writer, "wb", buffering=0) as feed:
        feed.write(bytes(100))
        layer = over(raw, fd)
        with closing(layer.chunks()) as chunks:
            taken = 0
            while taken < 100:  # the reader has nothing left but to wait
                taken += len(next(chunks))
        assert not layer.has_ended()
        feed.close()
        wait_until(layer.has_ended)
