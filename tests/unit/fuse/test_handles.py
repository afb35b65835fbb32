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


def read(handles: Handles, number: int, offset: int, size: int) -> bytes:
    """Read as a request does."""
    return bytes(handles.read(number, offset, memoryview(bytearray(size))))


def test_reading_copies_nothing(core: Core) -> None:
    """A file that is read stays in its layer."""
    handles = Handles(core.overlay)
    number = handles.open(core.node("file"), os.O_RDONLY)
    assert read(handles, number, 2, 3) == b"nte"
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
    assert handles.write(writer, 0, memoryview(b"CON")) == 3
    handles.sync(writer, contents_only=True)
    assert read(handles, reader, 0, 100) == b"CONtents"
    assert read(handles, writer, 0, 100) == b"CONtents"
    handles.close(reader)
    handles.close(writer)


def test_what_is_below_a_handle(core: Core) -> None:
    """The layer's file, until there is a copy."""
    handles = Handles(core.overlay)
    number = handles.open(core.node("file"), os.O_RDONLY)
    assert handles.lower(number) == core.node("file").lower is not None
    writer = handles.open(core.node("file"), os.O_WRONLY)
    assert handles.lower(number) is None
    handles.close(number)
    handles.close(writer)


def test_truncation(core: Core) -> None:
    """O_TRUNC empties."""
    handles = Handles(core.overlay)
    number = handles.open(core.node("file"), os.O_WRONLY | os.O_TRUNC)
    assert read(handles, number, 0, 100) == b""
    handles.close(number)


def test_a_file_without_a_name(core: Core) -> None:
    """It is opened through what is kept open of it."""
    handles = Handles(core.overlay)
    node = core.node("file")
    first = handles.open(node, os.O_RDWR)
    unlink(core.overlay, core.link("file"))
    second = handles.open(node, os.O_RDONLY)
    handles.write(first, 0, memoryview(b"!"))
    assert read(handles, second, 0, 100) == b"!ontents"
    handles.close(first)
    handles.close(second)
    core.overlay.nodes.forget(node.ino, node.lookups)


def test_an_unknown_handle(core: Core) -> None:
    """EBADF."""
    with pytest.raises(OSError, match="Bad file"):
        read(Handles(core.overlay), 5, 0, 1)


def test_a_file_without_a_handle(core: Core) -> None:
    """It is opened for one read, by its name or by what is kept of it."""
    handles = Handles(core.overlay)
    node = core.node("file")
    writer = handles.open(node, os.O_RDWR)
    assert bytes(handles.read_once(node, 3, memoryview(bytearray(2)))) == b"te"
    unlink(core.overlay, core.link("file"))
    assert bytes(handles.read_once(node, 3, memoryview(bytearray(2)))) == b"te"
    handles.close(writer)
    core.overlay.nodes.forget(node.ino, node.lookups)


def test_data_and_holes(core: Core) -> None:
    """A file of the tree is all data; in the upperdir its file system says where there is some."""
    handles = Handles(core.overlay)
    node = core.node("file")
    reader = handles.open(node, os.O_RDONLY)
    assert handles.seek(reader, 3, os.SEEK_DATA) == 3
    assert handles.seek(reader, 3, os.SEEK_HOLE) == 8
    with pytest.raises(OSError, match="No such device"):
        handles.seek(reader, 8, os.SEEK_DATA)
    handles.close(reader)
    writer = handles.open(node, os.O_RDWR)
    handles.write(writer, 1 << 20, memoryview(b"end"))
    assert handles.seek(writer, 1 << 20, os.SEEK_HOLE) == (1 << 20) + 3
    handles.close(writer)


def test_a_write_that_ends_early(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written counts; where it was nothing the error is raised."""
    handles = Handles(core.overlay)
    number = handles.open(core.node("file"), os.O_RDWR)
    real, room = os.pwrite, [3, 2]

    def pwrite(fd: int, contents: memoryview, offset: int) -> int:
        if not room:
            raise OSError(28, "No space left on device")
        return real(fd, contents[: room.pop(0)], offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    assert handles.write(number, 0, memoryview(b"0123456789")) == 5
    with pytest.raises(OSError, match="No space"):
        handles.write(number, 5, memoryview(b"56789"))
    assert read(handles, number, 0, 100) == b"01234nts"
    handles.close(number)
