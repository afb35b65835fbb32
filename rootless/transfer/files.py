"""Named files that make an image: in a folder, or as the members of a tar.

Both write forwards, and both take a file whose name and size are known only at its end, as those of
a compressed layer are.
"""

import fcntl
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from rootless.image.store import TempFile, write_all
from rootless.transfer.new_file import explained

_STEP = 1 << 20
_MODE = 0o644


class Output(Protocol):
    """A file that is being written."""

    name: str

    def write(self, data: bytes) -> None:
        """Write on."""


class Files(Protocol):
    """Where the files of an image go."""

    @property
    def where(self) -> str:
        """What the user called it."""

    @property
    def parallel(self) -> int:
        """How many files can be written at a time."""

    def has(self, name: str) -> bool:
        """Return whether a file is there by now."""

    def write(self, name: str, data: bytes) -> None:
        """Write a small file; one that is there is replaced."""

    def create(self, name: str, size: int | None = None) -> AbstractContextManager[Output]:
        """Begin a file; it is there once the block has ended well.

        Without a size the name may change until then, but not the folder.
        """


class _FolderOutput:
    def __init__(self, temp: TempFile, name: str) -> None:
        self._temp = temp
        self.name = name

    def write(self, data: bytes) -> None:
        write_all(self._temp.fd, data)


class FolderFiles:
    """Files in a folder, each there when it is complete.

    Args:
        folder: The folder.
        where: What the user called it.
    """

    parallel = 4

    def __init__(self, folder: Path, where: str) -> None:
        self._folder = folder
        self.where = where

    def has(self, name: str) -> bool:
        """Return whether a file is there by now."""
        return (self._folder / name).is_file()

    def read(self, name: str, limit: int) -> bytes:
        """Return a file's first *limit* bytes; empty where there is none."""
        with explained(self.where):
            try:
                with open(self._folder / name, "rb") as file:
                    return file.read(limit)
            except FileNotFoundError:
                return b""

    def write(self, name: str, data: bytes) -> None:
        """Write a small file; one that is there is replaced."""
        with self.create(name) as output:
            output.write(data)

    @contextmanager
    def create(self, name: str, size: int | None = None) -> Iterator[Output]:
        """Begin a file; it is there once the block has ended well."""
        del size
        with explained(self.where):
            beside = self._folder / os.path.dirname(name)
            beside.mkdir(parents=True, exist_ok=True)
            with TempFile(beside) as temp:
                output = _FolderOutput(temp, name)
                yield output
                os.fsync(temp.fd)
                os.fchmod(temp.fd, _MODE)
                os.rename(temp.path, self._folder / output.name)
                os.close(temp.fd)
                temp.fd = -1


class _TarOutput:
    def __init__(self, put: Callable[[bytes], object], name: str) -> None:
        self._put = put
        self.name = name
        self.size = 0

    def write(self, data: bytes) -> None:
        self._put(data)
        self.size += len(data)


class TarFiles:
    """The members of a tar, one after the other, on a file or a pipe.

    The header of a member of unknown size is written when the size is known: into the place that
    was left for it, or, on a pipe, after the content was put aside.

    Args:
        fd: Where to; not closed.
        where: What the user called it.
    """

    parallel = 1

    def __init__(self, fd: int, where: str) -> None:
        self._fd = fd
        self.where = where
        self._names: set[str] = set()
        self._position = 0
        self._can_seek = _can_seek(fd)

    def has(self, name: str) -> bool:
        """Return whether a member is written."""
        return name in self._names

    def write(self, name: str, data: bytes) -> None:
        """Write a small member."""
        with self.create(name, len(data)) as output:
            output.write(data)

    @contextmanager
    def create(self, name: str, size: int | None = None) -> Iterator[Output]:
        """Begin a member; the others wait for its end."""
        with explained(self.where):
            self._put_folders(name)
            if size is not None:
                self._put(_header(name, size))
                yield (output := _TarOutput(self._put, name))
            elif self._can_seek:
                start = self._position
                self._put(bytes(tarfile.BLOCKSIZE))
                yield (output := _TarOutput(self._put, name))
                os.pwrite(self._fd, _header(output.name, output.size), start)
            else:
                with tempfile.TemporaryFile(dir=_aside()) as aside:
                    yield (output := _TarOutput(aside.write, name))
                    aside.seek(0)
                    self._put(_header(output.name, output.size))
                    while chunk := aside.read(_STEP):
                        self._put(chunk)
            self._put(bytes(-output.size % tarfile.BLOCKSIZE))
            self._names.add(output.name)

    def end(self) -> None:
        """Write the end mark."""
        with explained(self.where):
            self._put(bytes(2 * tarfile.BLOCKSIZE))

    def _put_folders(self, name: str) -> None:
        """Write the folders on the way, once: the reader of containers/image wants them."""
        parts = name.split("/")[:-1]
        for end in range(1, len(parts) + 1):
            folder = "/".join(parts[:end])
            if folder not in self._names:
                self._names.add(folder)
                info = tarfile.TarInfo(folder + "/")
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                self._put(info.tobuf(tarfile.GNU_FORMAT))

    def _put(self, data: bytes) -> None:
        write_all(self._fd, data)
        self._position += len(data)


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = _MODE
    return info.tobuf(tarfile.GNU_FORMAT)  # 8 GiB and more in base 256, in one block


def _aside() -> str:
    return os.environ.get("TMPDIR", "/var/tmp")  # noqa: S108 - on a disk, where /tmp may be memory


def _can_seek(fd: int) -> bool:
    """Return whether what was written can be written over: not on a pipe, nor when appending."""
    try:
        position = os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:
        return False
    return position == 0 and not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND
