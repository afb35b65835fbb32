"""Open files."""

import os
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from overlays import Core

from fuse.handles import Handles
from fuse.remove import unlink


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """One file."""
    with Core(tmp_path, [images.LayerBuilder().file("file", b"contents")]) as made:
        yield made


def test_reading_copies_nothing(core: Core) -> None:
    """A file that is read stays in its layer."""
    handles = Handles(core.overlay)
    number = handles.open(core.node("file"), os.O_RDONLY)
    assert handles.read(number, 2, 3) == b"nte"
    assert handles.fd(number) == -1
    handles.sync(number, contents_only=False)
    handles.close(number)
    assert os.listdir(core.upperdir) == []
    assert len(handles) == 0


def test_readers_follow_a_copy_up(core: Core) -> None:
    """What one handle writes another that is older reads."""
    handles = Handles(core.overlay)
    reader = handles.open(core.node("file"), os.O_RDONLY)
    writer = handles.open(core.node("file"), os.O_WRONLY | os.O_APPEND)
    assert handles.write(writer, 0, b"CON") == 3
    handles.sync(writer, contents_only=True)
    assert handles.read(reader, 0, 100) == b"CONtents"
    assert handles.read(writer, 0, 100) == b"CONtents"
    handles.close(reader)
    handles.close(writer)


def test_truncation(core: Core) -> None:
    """O_TRUNC empties."""
    handles = Handles(core.overlay)
    number = handles.open(core.node("file"), os.O_WRONLY | os.O_TRUNC)
    assert handles.read(number, 0, 100) == b""
    handles.close(number)


def test_a_file_without_a_name(core: Core) -> None:
    """It is opened through what is kept open of it."""
    handles = Handles(core.overlay)
    node = core.node("file")
    first = handles.open(node, os.O_RDWR)
    unlink(core.overlay, core.link("file"))
    second = handles.open(node, os.O_RDONLY)
    handles.write(first, 0, b"!")
    assert handles.read(second, 0, 100) == b"!ontents"
    handles.close(first)
    handles.close(second)
    core.overlay.nodes.forget(node.ino, node.lookups)


def test_an_unknown_handle(core: Core) -> None:
    """EBADF."""
    with pytest.raises(OSError, match="Bad file"):
        Handles(core.overlay).read(5, 0, 1)
