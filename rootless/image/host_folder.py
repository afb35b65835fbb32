"""A folder of the host, of which an image is made: what lies in it is opened beneath it only.

Everything is opened by descriptor, and no link is followed by the kernel: what is exchanged for a
link meanwhile leads nowhere.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rootless.image.source import read_error
from rootless.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2


class HostFolder:
    """A folder; paths are relative to it, empty or `.` for itself. A context manager.

    Args:
        path: Its path.
        fix: What to do where something in it may not be read.
    """

    def __init__(self, path: str, fix: str = "") -> None:
        self._path = path
        self._fix = fix
        self._fd = -1

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Open the folder; raises NotFound where it is none, or may not be read."""
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise read_error(self._path, error) from error

    def close(self) -> None:
        """Let go of the folder; harmless when repeated."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def status(self) -> os.stat_result:
        """Return the folder's own status."""
        return os.fstat(self._fd)

    def open_at(self, path: str | bytes, flags: int) -> int:
        """Return a descriptor of what is at a path; raises OSError."""
        return openat2(
            self._fd, os.fsdecode(path) or ".", flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
        )

    @contextmanager
    def opened(self, path: str | bytes, flags: int) -> Iterator[int]:
        """Give what is at a path, open for reading; raises NotFound where that cannot be."""
        with self.explained(path):
            fd = self.open_at(path, os.O_RDONLY | flags)
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def explained(self, path: str | bytes) -> Iterator[None]:
        """Raise NotFound for an OSError about a path."""
        try:
            yield
        except PermissionError as error:
            raise read_error(self.full(path), error, self._fix) from error
        except OSError as error:
            raise read_error(self.full(path), error) from error

    def full(self, path: str | bytes) -> str:
        """Return what the host calls a path."""
        return os.path.normpath(os.path.join(self._path, os.fsdecode(path)))
