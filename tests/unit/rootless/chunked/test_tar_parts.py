"""`rootless.chunked.tar_parts`: a tar taken apart and put together again."""

import io

import images
import pytest
from random_image import random_layers

from rootless.chunked.tar_parts import TarParts
from rootless.errors import IntegrityError
from rootless.image.layers import SPARSE


def put_together(tar: bytes) -> bytes:
    """Return all that the parts of a tar have."""
    parts = TarParts(io.BytesIO(tar), "layer")
    whole = []
    for part in parts:
        whole += [part.head, *parts.contents(part.stored), parts.padding()]
    return b"".join([*whole, *parts.rest()])


@pytest.mark.parametrize("seed", range(5))
def test_not_a_byte_is_lost(seed: int) -> None:
    """Of random layers, with whatever stands at their end."""
    for layer in random_layers(seed, 3):
        for end in (images.END, b"", bytes(10240), images.END + b"garbage" * 300_000):
            tar = layer.tar(end=end)
            assert put_together(tar) == tar


def test_members_that_are_passed_over() -> None:
    """Contents that were not read do not get into the next member's head."""
    layer = images.LayerBuilder().file("a", b"x" * 3_000_000).file("b", b"y").directory("c")
    parts = TarParts(io.BytesIO(layer.tar()), "layer")
    found = [(part.entry.path, part.stored, len(part.head)) for part in parts]
    assert found == [(b"a", 3_000_000, 512), (b"b", 1, 512), (b"c", 0, 512)]


def test_headers_that_belong_together() -> None:
    """Extended ones are part of the head, zeros in them included."""
    xattrs = {"user.zeros": bytes(4096)}
    layer = images.LayerBuilder().file("a", b"x", xattrs=xattrs).hard_link("b", "a")
    (first, second) = TarParts(io.BytesIO(layer.tar()), "layer")
    assert first.xattrs == {b"user.zeros": bytes(4096)}
    assert len(first.head) > 4096
    assert second.stored == 0


def test_sparse_files() -> None:
    """The map is part of the head; what is stored is the pieces."""
    records = [
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", b"log"),
        (b"GNU.sparse.realsize", b"5000"),
    ]
    content = images.padded(b"2\n100\n3\n4990\n10\n") + b"abc" + b"0123456789"
    tar = images.LayerBuilder().file("GNUSparseFile.0/log", content, pax=records).tar()
    parts = TarParts(io.BytesIO(tar), "layer")
    part = next(iter(parts))
    assert part.entry.flags & SPARSE
    assert (part.entry.path, part.entry.size, part.stored) == (b"log", 5000, 13)
    assert b"".join(parts.contents(part.stored)) == b"abc0123456789"
    assert put_together(tar) == tar


@pytest.mark.parametrize("size", [0, 100, 700, 1400])
def test_a_tar_that_ends_early(size: int) -> None:
    """It is refused, with the place."""
    tar = images.LayerBuilder().file("a", b"x" * 600).file("b", b"y").tar()
    with pytest.raises(IntegrityError, match="not a valid layer: layer: "):
        put_together(tar[:size])


def test_a_tar_that_is_none() -> None:
    """Garbage is refused."""
    with pytest.raises(IntegrityError, match="not a valid layer: layer: wrong checksum"):
        put_together(b"1" * 2000)
