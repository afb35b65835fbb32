"""`rootless.image.decompress`: what data is, where it ends, and what is wrong with it."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable

import images
import pytest
import zstandard

from rootless.errors import IntegrityError
from rootless.image.byte_stream import ByteStream, Source
from rootless.image.decompress import MAGIC_BYTES, compression_of, opened

CONTENT = bytes(range(256)) * 400

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}

NAMES = pytest.mark.parametrize("name", COMPRESS)


def decompressed(data: bytes | ByteStream) -> bytes:
    """Return the content of a stream that is called `layer`."""
    raw = io.BytesIO(data) if isinstance(data, bytes) else data
    with opened(raw, "layer") as stream:
        parts = []
        while part := stream.read(1 << 16):
            parts.append(part)
    return b"".join(parts)


def refusal(data: bytes) -> IntegrityError:
    """Return the error about a stream."""
    with pytest.raises(IntegrityError) as caught:
        decompressed(data)
    return caught.value


@NAMES
def test_is_known_by_its_first_bytes(name: str) -> None:
    """Each format is told by its data, of no content as well."""
    for content in (CONTENT, b""):
        data = COMPRESS[name](content)
        assert compression_of(data[:MAGIC_BYTES]) == name
        assert decompressed(data) == content


def test_a_skippable_frame_is_zstd() -> None:
    """A zstd stream may begin with a frame to skip, as seekable ones do."""
    for magic in (0x184D2A50, 0x184D2A5F):
        frame = magic.to_bytes(4, "little") + (3).to_bytes(4, "little") + b"xyz"
        assert compression_of(frame) == "zstd"
        assert decompressed(frame + COMPRESS["zstd"](CONTENT)) == CONTENT


@pytest.mark.parametrize("name", [b"BZh", b"BZh9", b"BZhang/file", b"BZh91AY", b"etc", b"\x1f"])
def test_a_plain_tar(name: bytes) -> None:
    """A tar is plain, whatever word its first member's name begins with."""
    tar = images.LayerBuilder().file(name, b"content").tar()
    assert compression_of(tar[:MAGIC_BYTES]) == ""
    assert decompressed(tar) == tar


@pytest.mark.parametrize("data", [b"", b"x", b"BZ", b"\x1f", b"\xfd7zX"])
def test_too_short_for_a_magic_number(data: bytes) -> None:
    """A stream that ends within a magic number is plain, and complete."""
    assert compression_of(data) == ""
    assert decompressed(data) == data


class Dripping(Source):
    """Gives a byte at a time."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._rest = io.BytesIO(data)

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read one byte."""
        return self._rest.readinto(memoryview(buffer)[:1])


@NAMES
def test_a_slow_stream(name: str) -> None:
    """A pipe that gives a byte at a time gives the same content, over two streams and padding."""
    data = COMPRESS[name](b"first") + COMPRESS[name](b"second")
    assert decompressed(Dripping(data)) == b"firstsecond"


@NAMES
def test_concatenated(name: str) -> None:
    """Streams that follow each other are one content; an empty one between them adds nothing."""
    compress = COMPRESS[name]
    data = compress(CONTENT) + compress(b"") + compress(b"more") + compress(CONTENT)
    assert decompressed(data) == CONTENT + b"more" + CONTENT


@pytest.mark.parametrize("name", ["gzip", "xz", "bzip2"])
@pytest.mark.parametrize("zeros", [4, 512, 300_000])
def test_padding(name: str, zeros: int) -> None:
    """Zeros after the end are padding; a stream after them still belongs to the content."""
    data = COMPRESS[name](CONTENT) + bytes(zeros)
    assert decompressed(data) == CONTENT
    assert decompressed(data + COMPRESS[name](b"more") + bytes(zeros)) == CONTENT + b"more"


@NAMES
@pytest.mark.parametrize("garbage", [b"x", b"garbage after the end", CONTENT])
def test_garbage_after_the_end(name: str, garbage: bytes) -> None:
    """What follows and is no stream of the format is an error, not a silent end."""
    error = refusal(COMPRESS[name](CONTENT) + garbage)
    # a single byte may as well be a stream's that broke off
    others = ("data is damaged", "data ends early") if len(garbage) == 1 else ()
    assert error.what in {f"garbage after the {name} data", *(f"{name} {text}" for text in others)}
    assert error.on.startswith("layer")


@NAMES
@pytest.mark.parametrize("missing", [1, 4, 9])
def test_ends_early(name: str, missing: int) -> None:
    """A stream that lacks its last bytes is incomplete, be they only a checksum or a trailer."""
    assert str(refusal(COMPRESS[name](CONTENT)[:-missing])) == (
        f"{name} data ends early: layer (fetch it again)"
    )


@NAMES
def test_ends_early_in_the_header(name: str) -> None:
    """A stream that breaks off after its magic number is incomplete."""
    assert refusal(COMPRESS[name](CONTENT)[:MAGIC_BYTES]).what == f"{name} data ends early"


@NAMES
def test_ends_early_in_the_second_stream(name: str) -> None:
    """The end of the first of two streams does not make the second one complete."""
    data = COMPRESS[name](CONTENT)
    assert refusal(data + data[: len(data) // 2]).what == f"{name} data ends early"


@NAMES
def test_damaged(name: str) -> None:
    """A wrong byte in the middle is found by the formats' own checksums."""
    data = bytearray(COMPRESS[name](CONTENT))
    data[len(data) // 2] ^= 0x55
    error = refusal(bytes(data))
    assert error.what == f"{name} data is damaged"
    assert error.on.startswith("layer: ")


def test_a_window_that_is_too_large() -> None:
    """A zstd frame that wants gigabytes of memory is refused before it gets them."""
    header = bytes.fromhex("28b52ffd") + b"\x00" + bytes([(31 - 10) << 3])  # a window of 2 GiB
    error = refusal(header + bytes.fromhex("010000"))
    assert error.what == "zstd data is damaged"
    assert "memory" in error.on


class Failing(Source):
    """Gives some bytes, then an error of the kernel."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._rest = io.BytesIO(data)

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read, or fail at the end."""
        n = self._rest.readinto(buffer)
        if not n:
            raise OSError(5, "Input/output error")
        return n


@pytest.mark.parametrize("name", ["", *COMPRESS])
def test_an_error_of_the_source(name: str) -> None:
    """What the kernel says about the source is not taken for damage of the data."""
    data = COMPRESS[name](CONTENT)[:-20] if name else CONTENT
    with pytest.raises(OSError, match="Input/output error"):
        decompressed(Failing(data))


def test_an_error_of_the_reader() -> None:
    """An exception of whoever reads passes through unchanged."""

    def give_up() -> None:
        with opened(io.BytesIO(COMPRESS["gzip"](CONTENT)), "layer") as stream:
            assert stream.read(100)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_up()
