"""`rootless.chunked.plan`: where the contents of a layer are to lie, and what its index says."""

from itertools import pairwise
from pathlib import Path

import chunked_blobs
import images
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_image import random_layers

from rootless.chunked.plan import PAGE, plan_layer
from rootless.chunked.toc import Kind
from rootless.errors import IntegrityError


@settings(database=None, max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    kind=st.sampled_from(chunked_blobs.KINDS),
    chunk_size=st.sampled_from([100, 512, 4096, 1 << 20]),
)
def test_a_layer_is_what_its_tar_is(
    tmp_path_factory: pytest.TempPathFactory, seed: int, kind: Kind, chunk_size: int
) -> None:
    """Random layers: the same entries, attributes, whiteouts and contents."""
    folder = tmp_path_factory.mktemp("layer")
    for layer in random_layers(seed, 3, operations=20):
        tar = layer.tar()
        blob, _ = chunked_blobs.write(kind, tar, chunk_size=chunk_size)
        found, _ = chunked_blobs.of_plan(folder, blob)
        expected = chunked_blobs.of_tar(folder, tar)
        assert found == expected


@pytest.mark.parametrize("kind", chunked_blobs.KINDS)
def test_large_files_begin_on_a_page(kind: Kind, tmp_path: Path) -> None:
    """Small ones are packed; chunks are in order and do not overlap."""
    sizes = {"a": 10, "b": 70_000, "c": 100, "d": 0, "e": 5000, "f": 200_000}
    layer = images.LayerBuilder()
    for name, size in sizes.items():
        layer.file(name, bytes([size % 251]) * size)
    blob, _ = chunked_blobs.write(kind, layer.tar(), chunk_size=50_000)
    (told, _, _, files), plan = chunked_blobs.of_plan(tmp_path, blob)
    assert {name: len(files[name.encode()]) for name in sizes} == sizes
    offsets = {each.entry.path: each.entry.offset for each in plan.entries}
    assert offsets[b"a"] == 0
    assert offsets[b"b"] == PAGE
    assert offsets[b"c"] == PAGE + 70_000
    assert offsets[b"e"] == PAGE + 70_100
    assert offsets[b"f"] % PAGE == 0
    assert plan.size == offsets[b"f"] + 200_000
    assert all(a.offset + a.chunk.size <= b.offset for a, b in pairwise(plan.chunks))
    assert len(told) == len(sizes)


def test_landmarks_are_no_files_of_the_image() -> None:
    """Nor is the table of contents."""
    blob, _ = chunked_blobs.write(Kind.ESTARGZ, images.LayerBuilder().file("a", b"x").tar())
    toc = blob.toc()
    assert [entry.path for entry in toc.entries] == [b".no.prefetch.landmark", b"a"]
    assert [each.entry.path for each in plan_layer(toc).entries] == [b"a"]
    entries = [{"name": name, "type": "reg"} for name in (".no.prefetch.landmark", "a")]
    of_zstd = chunked_blobs.zstd_chunked(entries).toc()
    assert [each.entry.path for each in plan_layer(of_zstd).entries] == [b"a"]


@pytest.mark.parametrize("name", [".wh.", "a/.wh..", ".wh.a/b"])
def test_whiteouts_of_nothing(name: str) -> None:
    """They are refused before an index is written."""
    blob = chunked_blobs.estargz([{"name": name, "type": "reg"}])
    with pytest.raises(IntegrityError, match=r"table of contents has an? (entry|whiteout)"):
        plan_layer(blob.toc())
