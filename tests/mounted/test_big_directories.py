"""Directories of 100,000 entries, read with telldir(3) and seekdir(3) while entries come and go."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import images
import pytest
from mounting import Mount, Mounting, maps_for

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.slow]

MANY = 100_000
TYPES = {0o4: 4, 0o10: 8, 0o12: 10, 0o1: 1}

_libc = ctypes.CDLL(None, use_errno=True)


class _Dirent(ctypes.Structure):
    _fields_ = (
        ("d_ino", ctypes.c_uint64),
        ("d_off", ctypes.c_int64),
        ("d_reclen", ctypes.c_uint16),
        ("d_type", ctypes.c_uint8),
        ("d_name", ctypes.c_char * 256),
    )


_libc.opendir.restype = ctypes.c_void_p
_libc.readdir.restype = ctypes.POINTER(_Dirent)
_libc.telldir.restype = ctypes.c_long
_libc.readdir.argtypes = _libc.telldir.argtypes = (ctypes.c_void_p,)
_libc.rewinddir.argtypes = _libc.closedir.argtypes = (ctypes.c_void_p,)
_libc.seekdir.argtypes = (ctypes.c_void_p, ctypes.c_long)


class Stream:
    """An open directory, as C programs have it."""

    def __init__(self, path: Path) -> None:
        self._stream = _libc.opendir(os.fsencode(path))
        assert self._stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _libc.closedir(self._stream)

    def read(self) -> tuple[str, int, int] | None:
        """Return the next name, with its number and type; None at the end."""
        entry = _libc.readdir(self._stream)
        if not entry:
            return None
        found = entry.contents
        return os.fsdecode(found.d_name), found.d_ino, found.d_type

    def rest(self) -> Iterator[tuple[str, int, int]]:
        """Yield what is left, without the two dots."""
        while (entry := self.read()) is not None:
            if entry[0] not in (".", ".."):
                yield entry

    def tell(self) -> int:
        """Return the position."""
        return int(_libc.telldir(self._stream))

    def seek(self, position: int) -> None:
        """Go to a position."""
        _libc.seekdir(self._stream, position)

    def rewind(self) -> None:
        """Go to the begin."""
        _libc.rewinddir(self._stream)


@pytest.fixture
def one_mount(tmp_path: Path) -> Mounting:
    """Mounts under one ID map: it has no part in this."""
    return Mounting(tmp_path, maps_for("single-id"), single_id=True)


def layer() -> images.LayerBuilder:
    """A directory of many files."""
    made = images.LayerBuilder().directory("many")
    for number in range(MANY):
        made.file(f"many/{number:06}")
    return made


def test_many_entries(one_mount: Mounting) -> None:
    """All are listed once; a position is good for as long as the directory is open.

    Names that were there all the time are given once each, whatever comes and goes meanwhile.
    """

    def scenario(mount: Mount) -> None:
        many = mount.root / "many"
        with Stream(many) as stream:
            first = [stream.read() for _ in range(40_000)]
            position = stream.tell()
            following = [stream.read() for _ in range(1000)]
            for number in range(0, MANY, 100):
                (many / f"{number:06}").unlink()
                (many / f"{number:06}-new").touch()
            stream.seek(position)
            survivors = [each for each in following if each is not None and exists(many, each[0])]
            again = [stream.read() for _ in range(len(survivors))]
            assert [each for each in again if each and not each[0].endswith("-new")] == survivors
            stream.seek(position)
            names = [each[0] for each in first if each] + [each[0] for each in stream.rest()]
            kept = [name for name in names if name not in (".", "..") and exists(many, name)]
            assert len(kept) == len(set(kept))
            assert {f"{n:06}" for n in range(MANY) if n % 100} <= set(kept)
            stream.rewind()
            after = [name for name, _, _ in stream.rest()]
        assert len(after) == len(set(after)) == MANY
        assert sorted(after) == sorted(os.listdir(many))
        mount.remount()
        assert sorted(after) == sorted(os.listdir(many))

    one_mount.run([layer()], scenario)


def test_many_new_entries(one_mount: Mounting) -> None:
    """A directory that is the upperdir's own is listed whole while it is emptied."""

    def scenario(mount: Mount) -> None:
        (mount.root / "new").mkdir()
        for number in range(20_000):
            os.close(os.open(mount.root / f"new/{number}", os.O_CREAT | os.O_WRONLY))
        seen = []
        with Stream(mount.root / "new") as stream:
            for name, _, _ in stream.rest():
                seen.append(name)
                (mount.root / "new" / name).unlink()
        assert sorted(seen) == sorted(map(str, range(20_000)))
        (mount.root / "new").rmdir()

    one_mount.run([images.LayerBuilder().directory("d")], scenario)


def test_numbers_and_types(one_mount: Mounting) -> None:
    """readdir(3) and stat(2) agree on number and type, before and after a copy-up and a remount."""
    layers = [
        images.LayerBuilder()
        .directory("dir")
        .file("file", b"x")
        .hard_link("same", "file")
        .symlink("link", "file")
        .fifo("pipe")
    ]

    def numbers(root: Path) -> dict[str, int]:
        with Stream(root) as stream:
            found = {name: (number, kind) for name, number, kind in stream.rest()}
        for name, (number, kind) in found.items():
            status = (root / name).lstat()
            assert (status.st_ino, TYPES[status.st_mode >> 12]) == (number, kind), name
        return {name: number for name, (number, _) in found.items()}

    def scenario(mount: Mount) -> None:
        before = numbers(mount.root)
        assert before["file"] == before["same"]
        assert len(set(before.values())) == len(before) - 1
        for name in before:
            os.utime(mount.root / name, (1, 1), follow_symlinks=False)  # copies up
        assert numbers(mount.root) == before
        (mount.root / "new").touch()
        (mount.root / "made").mkdir()
        with_new = numbers(mount.root)
        assert {name: with_new[name] for name in before} == before
        for parent in ("dir", "made"):
            assert (mount.root / parent / "..").stat().st_ino == mount.root.stat().st_ino
        mount.remount()
        after = numbers(mount.root)
        assert after["dir"] == before["dir"]  # merged: the lower tree's number
        assert after["file"] == after["same"]

    one_mount.run(layers, scenario)


def exists(folder: Path, name: str) -> bool:
    """Tell whether a name is there."""
    return os.path.lexists(folder / name)
