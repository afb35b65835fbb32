"""Open files of a writable mount."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from images import END, header, padded, pax_header
from unit.kernel_side import Mount, mounted

from fuse import wire
from fuse.server_config import ServerConfig

KEEP_SIZE, PUNCH_HOLE = 1, 2


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Files in a folder, one of them with two names."""
    layer = (
        images.LayerBuilder()
        .directory("d")
        .file("d/file", b"contents", mode=0o640)
        .file("d/linked", b"linked")
        .hard_link("d/same", "d/linked")
        .file("d/large", bytes(200_000))
    )
    with mounted(tmp_path, [layer]) as made:
        yield made


@pytest.fixture(params=["d/file", "d/linked"])
def path(request: pytest.FixtureRequest) -> str:
    """A file that has no node until it is changed, and one that has."""
    return str(request.param)


def in_upperdir(mount: Mount) -> list[str]:
    """Return what has been copied up."""
    return os.listdir(mount.upperdir)


def open_flags(mount: Mount, ino: int, flags: int) -> tuple[int, int]:
    """Open a file; return handle and what the kernel is told to do."""
    answer = mount.ask(wire.OPEN, ino, wire.OPEN_IN.pack(flags, 0))
    number, told, _ = wire.OPENED.unpack(answer)
    return number, told


def test_reading_copies_nothing(mount: Mount, path: str) -> None:
    """A file that is read stays in its layer, and its pages stay in the cache."""
    ino = mount.find(path).ino
    fh, flags = open_flags(mount, ino, os.O_RDONLY)
    assert flags == wire.KEEP_CACHE
    whole = mount.read(ino, fh)
    assert mount.read(ino, fh, 2, 3) == whole[2:5]
    assert mount.read(ino, fh, len(whole)) == b""
    assert mount.ask(wire.FSYNC, ino, wire.FSYNC_IN.pack(fh, 0, 0)) == b""
    mount.release(ino, fh)
    assert in_upperdir(mount) == []


def test_no_node_for_a_reader(mount: Mount) -> None:
    """A file that nobody has changed is opened, read and closed without one."""
    ino = mount.find("d/file").ino
    assert mount.contents(ino) == b"contents"
    assert mount.core.overlay.nodes.known(ino) is None
    assert len(mount.served.handles) == 0


@pytest.mark.parametrize("beside", [False, True])
def test_large_files_are_moved(
    mount: Mount, monkeypatch: pytest.MonkeyPatch, *, beside: bool
) -> None:
    """Their pages are to go from the tar to the kernel, whether the directory was changed or not.

    A socket is no /dev/fuse, so they are copied after all.
    """
    if beside:
        mount.mknod(mount.find("d").ino, b"new", 0o100644)
    large = mount.find("d/large").ino
    fh, _ = open_flags(mount, large, os.O_RDONLY)
    moved = []

    def refuse(*args: object, **_: object) -> None:
        moved.append(args)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "splice", refuse)
    assert mount.read(large, fh, 4096, 100_000) == bytes(100_000)
    assert moved
    mount.release(large, fh)


def test_a_small_file_is_pushed(mount: Mount) -> None:
    """Its contents are in the cache before the first open is answered; a changed file's never."""
    ino = mount.find("d/file").ino
    mount.release(ino, mount.open(ino))
    assert mount.stored == [(ino, 0, b"contents")]
    mount.release(ino, mount.open(ino))
    other = mount.find("d/linked").ino
    mount.release(other, mount.open(other, os.O_RDWR))
    large = mount.find("d/large").ino
    mount.release(large, mount.open(large))
    assert len(mount.stored) == 1


def test_readers_follow_a_copy_up(mount: Mount, path: str) -> None:
    """What one handle writes another that is older reads."""
    ino = mount.find(path).ino
    reader = mount.open(ino)
    before = mount.read(ino, reader)
    writer = mount.open(ino, os.O_WRONLY | os.O_APPEND)
    assert mount.write(ino, writer, b"CON") == 3
    assert mount.read(ino, reader) == b"CON" + before[3:]
    assert mount.read(ino, writer) == b"CON" + before[3:]
    mount.unlink(mount.find("d").ino, path.removeprefix("d/").encode())
    assert mount.read(ino, reader) == b"CON" + before[3:]
    mount.release(ino, reader)
    mount.release(ino, writer)


def test_truncation(mount: Mount, path: str) -> None:
    """O_TRUNC empties, and what the kernel has of the file is dropped."""
    ino = mount.find(path).ino
    fh, flags = open_flags(mount, ino, os.O_WRONLY | os.O_TRUNC)
    assert flags == 0
    assert mount.read(ino, fh) == b""
    assert mount.getattr(ino).size == 0
    mount.release(ino, fh)
    fh, _ = open_flags(mount, ino, os.O_RDONLY | os.O_TRUNC)
    mount.release(ino, fh)


def test_writing(mount: Mount, path: str) -> None:
    """Anywhere in a file, also behind its end, and as much as a request has room for."""
    ino = mount.find(path).ino
    fh = mount.open(ino, os.O_RDWR)
    contents = os.urandom(100_000)
    assert mount.write(ino, fh, contents, 50_000) == 100_000
    assert mount.read(ino, fh, 49_998, 4) == bytes(2) + contents[:2]
    assert mount.read(ino, fh, 50_000, 1 << 17) == contents
    assert mount.getattr(ino).size == 150_000
    mount.release(ino, fh)


def test_a_write_shorter_than_it_says(mount: Mount) -> None:
    """It is refused: what lies behind it in the buffer is another request's."""
    file, fh = mount.create(1, b"new")
    body = wire.WRITE_IN.pack(fh, 0, 100, 0, 0, 0, 0) + b"short"
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        mount.ask(wire.WRITE, file.ino, body)
    assert mount.read(file.ino, fh) == b""
    mount.release(file.ino, fh)


def test_writing_to_a_handle_for_reading(mount: Mount) -> None:
    """The kernel asks for no such thing; it would be EBADF."""
    ino = mount.find("d/linked").ino
    fh = mount.open(ino)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        mount.write(ino, fh, b"x")
    mount.release(ino, fh)


def test_a_handle_that_is_none(mount: Mount) -> None:
    """EBADF, also for a mark of a file that the tree lacks."""
    for ask in (
        lambda: mount.read(1, 4711),
        lambda: mount.write(1, 4711, b"x"),
        lambda: mount.ask(wire.FSYNC, 1, wire.FSYNC_IN.pack(4711, 0, 0)),
    ):
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
            ask()


def test_sync(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both fsync and fdatasync reach the file in the upperdir, each as itself."""
    synced: list[tuple[str, int]] = []
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(
            os, name, lambda fd, name=name: synced.append((name, os.fstat(fd).st_ino))
        )
    file, fh = mount.create(1, b"new")
    for flags in (0, 1):
        assert mount.ask(wire.FSYNC, file.ino, wire.FSYNC_IN.pack(fh, flags, 0)) == b""
    number = (mount.upperdir / "new").stat().st_ino
    assert synced == [("fsync", number), ("fdatasync", number)]
    mount.release(file.ino, fh)


def test_sync_by_a_reader(mount: Mount, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync of a file that was opened before its copy-up syncs the copy, as any other would."""
    synced: list[int] = []
    ino = mount.find(path).ino
    reader, writer = mount.open(ino), mount.open(ino, os.O_WRONLY)
    mount.write(ino, writer, b"new")
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    assert mount.ask(wire.FSYNC, ino, wire.FSYNC_IN.pack(reader, 0, 0)) == b""
    mount.release(ino, reader)
    mount.release(ino, writer)
    assert synced == [(mount.upperdir / path).stat().st_ino]


def test_volatile_mounts_sync_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what volatile means."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with mounted(tmp_path, [images.LayerBuilder()], ServerConfig("/", is_volatile=True)) as mount:
        file, fh = mount.create(1, b"new")
        assert mount.ask(wire.FSYNC, file.ino, wire.FSYNC_IN.pack(fh, 0, 0)) == b""
        mount.release(file.ino, fh)
    assert synced == []


def seek(mount: Mount, ino: int, fh: int, offset: int, whence: int) -> int:
    """Find data or a hole."""
    answer = mount.ask(wire.LSEEK, ino, wire.LSEEK_IN.pack(fh, offset, whence, 0))
    return int(wire.NUMBER.unpack(answer)[0])


def test_data_and_holes(mount: Mount) -> None:
    """In the upperdir, as its file system has them."""
    file, fh = mount.create(1, b"new")
    mount.write(file.ino, fh, b"x" * 4096, 1 << 20)
    assert seek(mount, file.ino, fh, 0, os.SEEK_DATA) == 1 << 20
    assert seek(mount, file.ino, fh, 0, os.SEEK_HOLE) == 0
    assert seek(mount, file.ino, fh, 1 << 20, os.SEEK_HOLE) == (1 << 20) + 4096
    with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
        seek(mount, file.ino, fh, 1 << 21, os.SEEK_DATA)
    mount.release(file.ino, fh)


def test_data_of_the_tree(mount: Mount, path: str) -> None:
    """A file of a layer is all data, with the hole that every file's end is."""
    found = mount.find(path)
    fh = mount.open(found.ino)
    assert seek(mount, found.ino, fh, 2, os.SEEK_DATA) == 2
    assert seek(mount, found.ino, fh, 2, os.SEEK_HOLE) == found.size
    with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
        seek(mount, found.ino, fh, found.size, os.SEEK_DATA)
    mount.release(found.ino, fh)


@pytest.mark.parametrize("path", ["d/file", "d/linked"])
def test_data_of_what_was_copied_up(mount: Mount, path: str) -> None:
    """A handle that is older than the copy looks into the copy."""
    ino = mount.find(path).ino
    with mount.opened(ino) as reader, mount.opened(ino, os.O_WRONLY) as writer:
        mount.write(ino, writer, b"x", 99_999)
        assert seek(mount, ino, reader, 99_999, os.SEEK_DATA) == 99_999
        assert seek(mount, ino, reader, 0, os.SEEK_HOLE) > 8


def test_allocation(mount: Mount, path: str) -> None:
    """Room is allocated, holes are punched, in the copy of a layer's file."""
    ino = mount.find(path).ino
    fh = mount.open(ino, os.O_RDWR)
    before = mount.read(ino, fh)
    assert mount.ask(wire.FALLOCATE, ino, wire.FALLOCATE_IN.pack(fh, 0, 9000, 0, 0)) == b""
    assert mount.getattr(ino).size == 9000
    mode = KEEP_SIZE | PUNCH_HOLE
    assert mount.ask(wire.FALLOCATE, ino, wire.FALLOCATE_IN.pack(fh, 1, 2, mode, 0)) == b""
    assert mount.read(ino, fh, 0, len(before)) == before[:1] + bytes(2) + before[3:]
    with pytest.raises(OSError, match=os.strerror(errno.EOPNOTSUPP)):
        mount.ask(wire.FALLOCATE, ino, wire.FALLOCATE_IN.pack(fh, 0, 1, PUNCH_HOLE, 0))
    mount.release(ino, fh)


def copy(mount: Mount, ino: int, source: tuple[int, int], target: tuple[int, int], n: int) -> int:
    """Copy *n* bytes between (handle, offset) and (handle, offset)."""
    body = wire.COPY_IN.pack(*source, ino, *target, n, 0)
    size, _ = wire.SIZE.unpack(mount.ask(wire.COPY_FILE_RANGE, ino, body))
    return int(size)


def test_copies_within_the_upperdir(mount: Mount) -> None:
    """A range of one file goes into another, at most to the source's end."""
    (one, source), (two, target) = mount.create(1, b"one"), mount.create(1, b"two")
    mount.write(one.ino, source, b"0123456789")
    assert copy(mount, one.ino, (source, 2), (target, 3), 5) == 5
    assert mount.read(two.ino, target) == bytes(3) + b"23456"
    assert copy(mount, one.ino, (source, 8), (target, 0), 1 << 40) == 2
    assert copy(mount, one.ino, (source, 10), (target, 0), 5) == 0
    mount.release(one.ino, source)
    mount.release(two.ino, target)


def test_copies_of_the_tree(mount: Mount, path: str) -> None:
    """Out of a layer the kernel copies by itself."""
    ino = mount.find(path).ino
    source = mount.open(ino)
    two, target = mount.create(1, b"two")
    with pytest.raises(OSError, match=os.strerror(errno.EOPNOTSUPP)):
        copy(mount, ino, (source, 0), (target, 0), 5)
    mount.release(ino, source)
    mount.release(two.ino, target)


def test_sparse_files_of_the_tree(tmp_path: Path) -> None:
    """Holes read as zeros, and the pieces lie where the layer says."""
    records = [(b"GNU.sparse.map", b"10,5,100,5"), (b"GNU.sparse.size", b"200")]
    sparse = pax_header(records) + header(b"s", size=10) + padded(b"1234567890") + END
    with mounted(tmp_path, [sparse]) as mount:
        ino = mount.find("s").ino
        whole = bytes(10) + b"12345" + bytes(85) + b"67890" + bytes(95)
        assert mount.contents(ino) == whole
        fh = mount.open(ino)
        assert mount.read(ino, fh, 12, 90) == whole[12:102]
        mount.release(ino, fh)
        assert mount.stored == []
