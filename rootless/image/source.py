"""Where images come from: an OCI layout folder, an archive in a file, an archive as a stream.

All three answer the same questions. A folder and a plain archive in a file are read in any order,
each layer when it is asked for; the third is in `archive_stream`.
"""

import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image.byte_stream import Source, read_up_to
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.progress import Progress
from rootless.image.store import Store
from rootless.image.tar_members import Member, members

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STANDARD_INPUT = "standard input"
_MAX_LINKS = 8


class ImageSource(Protocol):
    """Named documents and layers."""

    @property
    def what(self) -> str:
        """What the user called it."""

    def document(self, name: str, limit: int) -> bytes | None:
        """Return a document of at most *limit* bytes; None where there is none of that name."""

    def layer(self, name: str, expected: Expected, progress: Progress) -> StagedLayer | None:
        """Return a layer, ingested and verified; None where there is none. The caller closes it."""

    def close(self) -> None:
        """Let go of files, and of layers that nobody asked for."""


class Window(Source):
    """A part of an open file, as a stream; the file's own position is not used.

    Attributes:
        size: Bytes of the part.
    """

    def __init__(self, fd: int, offset: int, size: int, what: str) -> None:
        super().__init__()
        self.size = size
        self._fd = fd
        self._offset = offset
        self._end = offset + size
        self._what = what

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on; 0 at the end of the part."""
        view = memoryview(buffer)
        want = min(len(view), self._end - self._offset)
        try:
            n = os.preadv(self._fd, [view[:want]], self._offset) if want else 0
        except OSError as error:
            raise read_error(self._what, error) from error
        self._offset += n
        return n


class LayoutFolder:
    """An OCI image layout in a folder."""

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path

    @property
    def what(self) -> str:
        """What the user called it."""
        return self._path

    def document(self, name: str, limit: int) -> bytes | None:
        """Read a file of the layout."""
        fd = self._open(name)
        if fd is None:
            return None
        with open(fd, "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise too_large(f"{self._path}/{name}", os.stat(f"{self._path}/{name}").st_size, limit)
        return data

    def layer(self, name: str, expected: Expected, progress: Progress) -> StagedLayer | None:
        """Ingest a blob of the layout."""
        fd = self._open(name)
        if fd is None:
            return None
        try:
            size = os.fstat(fd).st_size
            progress.layer(name, size)
            window = Window(fd, 0, size, f"{self._path}/{name}")
            return ingest(self._store, window, name, expected, progress.advance)
        finally:
            os.close(fd)

    @contextmanager
    def window(self, name: str, offset: int = 0) -> Iterator[Window | None]:
        """Give a blob as it is, from *offset* on; None where there is none."""
        fd = self._open(name)
        if fd is None:
            yield None
            return
        try:
            size = os.fstat(fd).st_size
            yield Window(fd, offset, max(0, size - offset), f"{self._path}/{name}")
        finally:
            os.close(fd)

    def close(self) -> None:
        """Do nothing: files are closed after use."""

    def _open(self, name: str) -> int | None:
        if ".." in name.split("/"):  # what lies beside the layout is not its own
            return None
        path = f"{self._path}/{name}"
        with suppress(FileNotFoundError):
            return open_regular(path)
        return None


class ArchiveFile:
    """A plain tar in a regular file: its headers are read once, its contents when asked for.

    Args:
        store: Where layers go.
        fd: The open file; owned from here on.
        what: What the user called it.
    """

    def __init__(self, store: Store, fd: int, what: str) -> None:
        self._store = store
        self._fd = fd
        self._what = what
        self._size = os.fstat(fd).st_size
        self._position = 0
        try:
            self._members = {member.name: member for member in self._whole_members()}
        except BaseException:
            os.close(fd)
            raise

    @property
    def what(self) -> str:
        """What the user called it."""
        return self._what

    def document(self, name: str, limit: int) -> bytes | None:
        """Read a member."""
        member = follow(self._members, name)
        if member is None:
            return None
        if member.size > limit:
            raise too_large(name, member.size, limit)
        return read_up_to(self._window(member), member.size)

    def layer(self, name: str, expected: Expected, progress: Progress) -> StagedLayer | None:
        """Ingest a member."""
        member = follow(self._members, name)
        if member is None:
            return None
        progress.layer(name, member.size)
        return ingest(self._store, self._window(member), name, expected, progress.advance)

    @contextmanager
    def window(self, name: str, offset: int = 0) -> Iterator[Window | None]:
        """Give a member as it is, from *offset* on; None where there is none."""
        member = follow(self._members, name)
        if member is None:
            yield None
        else:
            size = max(0, member.size - offset)
            yield Window(self._fd, member.offset + offset, size, f"{self._what}:{name}")

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read_exactly(self, size: int) -> bytes:
        """Read on, for `members`."""
        try:
            data = os.pread(self._fd, size, self._position)
        except OSError as error:
            raise read_error(self._what, error) from error
        self._position += len(data)
        return data

    def tell(self) -> int:
        """Return how far the headers are read, for `members`."""
        return self._position

    def seek_forward(self, position: int) -> None:
        """Go past a member's content, for `members`."""
        if position > self._size + 511:  # the padding of the last member may be missing
            raise self._ends_early()
        self._position = position

    def _whole_members(self) -> Iterator[Member]:
        for member in members(self, self._what):
            if member.offset + member.size > self._size:
                raise self._ends_early()
            yield member

    def _ends_early(self) -> IntegrityError:
        return IntegrityError("archive ends early", self._what)

    def _window(self, member: Member) -> Window:
        return Window(self._fd, member.offset, member.size, self._what)


def follow(known: dict[str, Member], name: str) -> Member | None:
    """Return a member, through links inside the archive; None where it or a target is missing."""
    for _ in range(_MAX_LINKS):
        member = known.get(name)
        if member is None or not member.link:
            return member
        folder = posixpath.dirname(member.name) if member.is_symlink else ""
        name = posixpath.normpath(posixpath.join(folder, member.link))
    raise IntegrityError("links of the archive lead in a circle", name)


def open_regular(path: str) -> int:
    """Open a regular file for reading; a pipe or a device in its place would wait or never end."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise read_error(path, error) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise InvalidInput("not a regular file", path)
    return fd


def read_error(what: str, error: OSError, fix: str = "") -> NotFound:
    """Return the error about a file of the user's that the kernel does not give."""
    return NotFound("cannot be read", f"{what}: {(error.strerror or str(error)).lower()}", fix)


def too_large(name: str, size: int, limit: int) -> IntegrityError:
    """Return the error about a document that is not read since it is no honest one."""
    return IntegrityError("document is too large", name, f"{size} bytes, at most {limit}")
