"""`rootless.chunked.reorder`: some members first, and nothing lost."""

import io
import tarfile
from collections.abc import Sequence

import images
import pytest

from rootless.chunked.reorder import Sections, prioritized_first


def names(tar: bytes, prioritized: Sequence[bytes]) -> tuple[list[str], int]:
    """Return the names in their new order, and how many are first."""
    stream, first = prioritized_first(io.BytesIO(tar), prioritized, "layer")
    content = stream.read()
    assert content is not None
    assert sorted(content) == sorted(tar)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return [member.name for member in archive], first


LAYER = (
    images.LayerBuilder()
    .directory("a")
    .file("a/one", b"1" * 600)
    .directory("b")
    .directory("b/c")
    .file("b/c/two", b"2")
    .file("three", b"3")
    .hard_link("b/link", "a/one")
)


def test_parents_and_targets_come_along() -> None:
    """A directory before what is in it, a file before its hard link."""
    found, first = names(LAYER.tar(), [b"b/link", b"b/c/two"])
    assert found == ["b", "a", "a/one", "b/link", "b/c", "b/c/two", "three"]
    assert first == 6


def test_in_the_given_order() -> None:
    """The most important first; names that the layer lacks are passed over."""
    found, first = names(LAYER.tar(), [b"three", b"nothing", b"a/one", b"three"])
    assert found == ["three", "a", "a/one", "b", "b/c", "b/c/two", "b/link"]
    assert first == 3


def test_nothing_to_be_moved() -> None:
    """A tar stays as it is, its end included."""
    tar = LAYER.tar(end=bytes(4096))
    stream, first = prioritized_first(io.BytesIO(tar), [b"nothing"], "layer")
    assert (stream.read(), first) == (tar, 0)


def test_a_name_that_is_there_twice_stays() -> None:
    """The later one must win as before."""
    tar = images.LayerBuilder().file("x", b"1").file("y", b"2").file("x", b"3").tar()
    assert names(tar, [b"x", b"y"]) == (["y", "x", "x"], 1)


def test_a_global_header_keeps_everything() -> None:
    """Its attributes are those of all members that follow."""
    head = images.pax_header([(b"uid", b"7")], typeflag=b"g")
    tar = images.LayerBuilder().file("x").raw(head).file("y").tar()
    stream, first = prioritized_first(io.BytesIO(tar), [b"y"], "layer")
    assert (stream.read(), first) == (tar, 0)


def test_links_that_go_in_circles() -> None:
    """They are moved once, and no one waits for ever."""
    tar = images.LayerBuilder().file("z").hard_link("x", "y").hard_link("y", "x").tar()
    found, first = names(tar, [b"x"])
    assert (sorted(found), first) == (["x", "y", "z"], 2)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_sections_are_read_in_any_steps(size: int) -> None:
    """Pieces of a file, one after the other; what the file lacks ends it."""
    sections = Sections(io.BytesIO(b"0123456789"), [(5, 8), (2, 2), (0, 2), (9, 20)])
    parts = []
    while part := sections.read(size):
        parts.append(part)
    assert b"".join(parts) == b"567019"
