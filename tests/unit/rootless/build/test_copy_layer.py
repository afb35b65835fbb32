"""`rootless.build.copy_layer`: attributes of what is copied, and the stream of a layer."""

import io
import stat
from collections.abc import Generator

import pytest

from rootless.build.copy_layer import Attributes, LayerTar
from rootless.build.copy_source import MADE_NOW, Node

FILE = Node(b"f", stat.S_IFREG | 0o6755, uid=3, gid=4)


def test_owners() -> None:
    """The instruction's, else the source's, else root's."""
    assert Attributes(None, None, 0).owner_of(FILE) == (3, 4)
    assert Attributes(None, None, 0).owner_of(None) == (0, 0)
    assert Attributes((7, 8), None, 0).owner_of(FILE) == (7, 8)
    assert Attributes((7, 8), None, 0).owner_of(None) == (7, 8)


def test_permissions() -> None:
    """Set-ID bits of a context are taken away; --chmod says all there is, but of links."""
    plain = Attributes(None, None, 0)
    assert plain.mode_of(FILE, keeps_set_id=True) == stat.S_IFREG | 0o6755
    assert plain.mode_of(FILE, keeps_set_id=False) == stat.S_IFREG | 0o755
    changed = Attributes(None, 0o4711, 0)
    assert changed.mode_of(FILE, keeps_set_id=False) == stat.S_IFREG | 0o4711
    link = Node(b"l", stat.S_IFLNK | 0o777)
    assert changed.mode_of(link, keeps_set_id=False) == link.mode


def test_times() -> None:
    """None is later than the latest."""
    assert Attributes(None, None, 5).clamped(9) == 9
    assert Attributes(None, None, 5).clamped(MADE_NOW) == 5
    assert Attributes(None, None, 5, 3).clamped(MADE_NOW) == 3
    assert Attributes(None, None, 5, 3).clamped(2) == 2


@pytest.mark.parametrize("step", [1, 3, 7, 100])
def test_the_stream(step: int) -> None:
    """Every read fills its buffer, wherever the chunks end."""
    data = bytes(range(50))
    with LayerTar(data[start : start + 4] for start in range(0, 50, 4)) as stream:
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

    with LayerTar(chunks()) as stream:
        stream.read(1)
    assert ended == [True]
