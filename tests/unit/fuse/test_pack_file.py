"""`fuse.pack_file`: the front of a pack."""

import hashlib
import os
import struct
from collections.abc import Iterator

import pytest
import zstandard

from fuse.pack_file import (
    FRONT_READ,
    Codec,
    Kind,
    PackFile,
    PackFormatError,
    Section,
    front,
    has_chunks,
    is_pack,
    sections_size,
)

CONFIG = b'{"a": 1}'
TREE = b"tree" * 50_000


def section(kind: Kind, data: bytes, place: int, codec: Codec = Codec.RAW) -> Section:
    """Describe a section of these bytes, decoded."""
    stored = zstandard.compress(data) if codec is Codec.ZSTD else data
    digest = hashlib.sha256(stored).digest()
    return Section(kind, codec, 0, place, len(stored), len(data), digest)


@pytest.fixture
def fd() -> Iterator[int]:
    """Give a pack of a config and a tree far behind it."""
    fd = os.memfd_create("pack")
    sections = [
        section(Kind.CONFIG, CONFIG, sections_size(2)),
        section(Kind.TREE, TREE, 2 * FRONT_READ, Codec.ZSTD),
    ]
    end = sections[-1].offset + sections[-1].stored
    os.pwrite(fd, front(sections, line=b"#!/bin/sh\n", size=end) + CONFIG, 0)
    os.pwrite(fd, zstandard.compress(TREE), sections[-1].offset)
    yield fd
    os.close(fd)


def test_reads(fd: int) -> None:
    """Sections are found and read, near and far."""
    assert is_pack(os.pread(fd, 128, 0))
    assert os.pread(fd, 10, 0) == b"#!/bin/sh\n"
    pack = PackFile(fd, "x")
    assert pack.read(pack.require(Kind.CONFIG)) == CONFIG
    assert pack.read(pack.require(Kind.TREE)) == TREE
    assert pack.find(Kind.MANIFEST) is None
    assert pack.layers() == []
    with pytest.raises(PackFormatError, match="x: it has no chunk table"):
        pack.require(Kind.CHUNK_TABLE)


def test_has_chunks(fd: int) -> None:
    """The front says whether there is a chunk table."""
    assert not has_chunks(os.pread(fd, 128, 0))
    table = section(Kind.CHUNK_TABLE, b"", 0)
    assert has_chunks(front([table], line=b"", size=1))


@pytest.mark.parametrize(
    ("place", "data", "said"),
    [
        (64, b"X", "not a pack"),
        (72, b"\x02", "format 2"),
        (76, b"\xff\xff\xff\xff", "table of contents"),
        (80, b"\x01", "bytes of"),
        (130, b"\xff", "table of contents"),
    ],
)
def test_damaged_front(fd: int, place: int, data: bytes, said: str) -> None:
    """Each field of the head is checked."""
    os.pwrite(fd, data, place)
    with pytest.raises(PackFormatError, match=said):
        PackFile(fd, "x")


def test_damaged_sections(fd: int) -> None:
    """Sections are checked when they are read."""
    os.pwrite(fd, b"X", sections_size(2))
    os.pwrite(fd, b"X", 2 * FRONT_READ + 9)
    pack = PackFile(fd, "x")
    for each in pack.sections:
        with pytest.raises(PackFormatError, match="wrong digest"):
            pack.read(each)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"offset": 1 << 62}, "beyond its end"),
        ({"stored": 7}, "two lengths"),
        ({"codec": Codec.ZSTD, "size": 1 << 40}, "too large"),
    ],
)
def test_sections_that_cannot_be(fd: int, changes: dict[str, int], said: str) -> None:
    """What no pack of ours says is refused at once."""
    bad = section(Kind.CONFIG, CONFIG, 300)._replace(**changes)
    os.pwrite(fd, front([bad], line=b"", size=os.fstat(fd).st_size), 0)
    with pytest.raises(PackFormatError, match=said):
        PackFile(fd, "x")


def test_what_a_frame_claims(fd: int) -> None:
    """A frame is not decoded to more than the section says."""
    stored = zstandard.compress(bytes(1 << 20))
    place = 3 * FRONT_READ
    os.pwrite(fd, stored, place)
    digest = hashlib.sha256(stored).digest()
    bad = Section(Kind.TREE, Codec.ZSTD, 0, place, len(stored), 1000, digest)
    os.pwrite(fd, front([bad], line=b"", size=os.fstat(fd).st_size), 0)
    pack = PackFile(fd, "x")
    with pytest.raises(PackFormatError, match="wrong length"):
        pack.read(pack.require(Kind.TREE))


def test_layers_in_order() -> None:
    """Layers that are missing or twice are refused."""
    fd = os.memfd_create("pack")
    layers = [section(Kind.LAYER, b"", 0)._replace(number=number) for number in (0, 0)]
    data = front(layers, line=b"", size=sections_size(2))
    os.pwrite(fd, data, 0)
    with pytest.raises(PackFormatError, match="not in order"):
        PackFile(fd, "x").layers()
    os.close(fd)
    assert struct.calcsize("<HHIQQQ32s") == 64
