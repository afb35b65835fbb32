"""`rootless.image.zstd_frames`: where frames begin and end, in whatever pieces they come."""

import io
import random
from typing import TYPE_CHECKING

import pytest
import zstandard

from rootless.errors import IntegrityError
from rootless.image.byte_stream import Source
from rootless.image.zstd_frames import SKIPPABLE, FrameReader, is_skippable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SKIPPED = SKIPPABLE.to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"
EMPTY_SKIPPED = (SKIPPABLE + 15).to_bytes(4, "little") + bytes(4)
CONTENT = random.Random(1).randbytes(200_000)  # raw blocks, and more than one


def frame(content: bytes = CONTENT, **options: bool) -> bytes:
    """Return one frame."""
    return zstandard.ZstdCompressor(**options).compress(content)


def streamed(content: bytes = CONTENT) -> bytes:
    """Return one frame that does not say how much it holds."""
    compressor = zstandard.ZstdCompressor().compressobj()
    return compressor.compress(content) + compressor.flush()


def with_dictionary() -> bytes:
    """Return a frame whose header names a dictionary."""
    dictionary = zstandard.ZstdCompressionDict(
        zstandard.train_dictionary(1 << 12, [b"%d words" % i * 9 for i in range(500)]).as_bytes()
    )
    return zstandard.ZstdCompressor(dict_data=dictionary).compress(CONTENT)


STREAMS = {
    "one frame": frame(),
    "checksum": frame(write_checksum=True),
    "no content size": streamed(),
    "no content": frame(b""),
    "one byte": frame(b"x"),
    "many of one byte": frame(bytes(1 << 20)),  # RLE blocks
    "three frames": frame() + frame(b"second", write_checksum=True) + streamed(b"third"),
    "skippable first": SKIPPED + frame(b"x"),
    "skippable between": frame(b"x") + SKIPPED + EMPTY_SKIPPED + frame(b"y"),
    "skippable last": frame(b"x") + SKIPPED,
    "skippable only": SKIPPED + EMPTY_SKIPPED,
    "dictionary": with_dictionary(),
    "nothing": b"",
}


class Dripping(Source):
    """Gives so many bytes a read, as a slow pipe does."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__()
        self._data = io.BytesIO(data)
        self._step = step

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Give a few bytes."""
        return self._data.readinto(memoryview(buffer)[: self._step])


@pytest.mark.parametrize("step", [7, 4096, 1 << 20])
@pytest.mark.parametrize("name", STREAMS)
def test_whole_streams_pass_unchanged(name: str, step: int) -> None:
    """Whatever the kinds of frames and the sizes of reads, the bytes come out as they are."""
    assert FrameReader(Dripping(STREAMS[name], step), "layer").readall() == STREAMS[name]


@pytest.mark.parametrize("name", [name for name in STREAMS if name != "nothing"])
def test_every_kind_of_stream_notices_its_end(name: str) -> None:
    """One byte too few is an error that says what to do, whichever frame comes last."""
    with pytest.raises(IntegrityError) as caught:
        FrameReader(io.BytesIO(STREAMS[name][:-1]), "layer").readall()
    assert str(caught.value) == "zstd data ends early: layer (fetch it again)"


def test_every_place_of_a_break() -> None:
    """A short stream may end only between frames."""
    stream = frame(b"first", write_checksum=True) + SKIPPED + EMPTY_SKIPPED + streamed(b"last")
    ends = []
    for length in range(len(stream) + 1):
        try:
            FrameReader(Dripping(stream[:length], 1), "layer").readall()
        except IntegrityError as error:
            assert error.what == "zstd data ends early"  # noqa: PT017 - some lengths raise nothing
        else:
            ends.append(length)
    first = len(frame(b"first", write_checksum=True))
    after = first + len(SKIPPED)
    assert ends == [0, first, after, after + len(EMPTY_SKIPPED), len(stream)]


@pytest.mark.parametrize(
    "garbage", [b"garbage", bytes(512), b"\x1f\x8b\x08\x00"], ids=["text", "zeros", "gzip"]
)
@pytest.mark.parametrize("before", [frame(b"x"), SKIPPED], ids=["frame", "skippable"])
def test_garbage_between_frames(before: bytes, garbage: bytes) -> None:
    """What follows a frame and begins none is refused: zeros and gzip data, too."""
    with pytest.raises(IntegrityError) as caught:
        FrameReader(io.BytesIO(before + garbage), "layer").readall()
    assert str(caught.value) == "garbage after the zstd data: layer"


def test_less_than_a_magic_number_after_a_frame() -> None:
    """Up to three bytes could begin a frame: the data ends early."""
    with pytest.raises(IntegrityError, match="ends early"):
        FrameReader(io.BytesIO(frame(b"x") + b"\x28\xb5"), "layer").readall()


def test_a_skippable_frame_of_4_gib() -> None:
    """The length that a frame claims takes no memory; data that is not there is missed."""
    claim = SKIPPABLE.to_bytes(4, "little") + b"\xff" * 4
    with pytest.raises(IntegrityError, match="ends early"):
        FrameReader(io.BytesIO(claim + b"few"), "layer").readall()


def test_the_sixteen_skippable_magic_numbers() -> None:
    """Sixteen numbers begin a skippable frame; their neighbours do not."""
    found = [n for n in range(SKIPPABLE - 2, SKIPPABLE + 20) if is_skippable(n)]
    assert found == list(range(SKIPPABLE, SKIPPABLE + 16))
