"""A file or a folder as it is mounted, as a tar that is read forwards: what `rootless cp` copies.

Everything below a folder is opened beneath it by descriptor, and no link is followed: whoever
changes it meanwhile, a hostile container too, can make something be missing, and nothing else.
"""

import errno
import os
import stat
from collections.abc import Generator, Iterator

from rootless.errors import InvalidInput
from rootless.image.member_header import END, Member, header, padding
from rootless.image.sparse_map import sparse_map
from rootless.image.upper_layer import kept_xattrs
from rootless.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2

_CHUNK = 1 << 20
_BENEATH = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
# What came between the listing and the look: gone, or a link or a file in a folder's place.
_REPLACED = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EXDEV)
_WITHOUT = (errno.EOPNOTSUPP, errno.ENODATA, errno.EPERM, errno.EACCES)


class Packer:
    """Writes one object, and what is below it.

    Args:
        fd: The object, open as a place (`O_PATH`); stays the caller's.
        name: What it is called in the tar; "." for an object without a name of its own.

    Attributes:
        left_out: What no tar can hold, for people.
    """

    def __init__(self, fd: int, name: str) -> None:
        self.left_out: list[str] = []
        self._top = fd
        self._name = name
        self._linked: dict[tuple[int, int], str] = {}

    def chunks(self) -> Iterator[bytes]:
        """Yield the tar; raises InvalidInput, OSError."""
        waiting = [""]
        while waiting:
            path = waiting.pop()
            try:
                place = self._place(path)
            except OSError as error:
                if not path or error.errno not in _REPLACED:
                    raise
                continue
            try:
                names = yield from self._object(path, place)
            finally:
                os.close(place)
            waiting += [_join(path, name) for name in sorted(names, key=os.fsencode, reverse=True)]
        yield END

    def _place(self, path: str) -> int:
        if not path:
            return os.dup(self._top)
        return openat2(self._top, path, os.O_PATH | os.O_NOFOLLOW, _BENEATH)

    def _object(self, path: str, place: int) -> Generator[bytes, None, list[str]]:
        """Yield one object; return the names in a directory."""
        status = os.fstat(place)
        name = os.path.normpath(os.path.join(self._name, path)) if path else self._name
        if stat.S_ISSOCK(status.st_mode):
            self.left_out.append(f"{name} (a socket)")
            return []
        if stat.S_ISDIR(status.st_mode):
            yield header(self._member(name, place, status))
            with _reopened(place, os.O_DIRECTORY, name) as fd:
                return os.listdir(fd)
        first = self._first_name(status, name)
        if first or not stat.S_ISREG(status.st_mode):
            yield header(self._member(name, place, status, link=first))
            return []
        with _reopened(place, os.O_NONBLOCK, name) as fd:
            yield from self._file(name, fd, is_top=not path)
        return []

    def _first_name(self, status: os.stat_result, name: str) -> str:
        """Return the name under which an object is in the tar already; "" for none."""
        if status.st_nlink < 2:
            return ""
        first = self._linked.setdefault((status.st_dev, status.st_ino), name)
        return "" if first == name else first

    def _file(self, name: str, fd: int, *, is_top: bool) -> Iterator[bytes]:
        status = os.fstat(fd)
        if is_top and not status.st_size:  # of /proc or /sys, which tell no size
            data = _all_of(fd)
            yield header(self._member(name, fd, status, size=len(data)))
            yield data + padding(len(data))
            return
        holes = sparse_map(fd, status)
        yield header(self._member(name, fd, status, size=status.st_size), holes)
        for offset, length in holes.extents if holes else [(0, status.st_size)]:
            end = offset + length
            while offset < end:
                chunk = os.pread(fd, min(_CHUNK, end - offset), offset)
                if not chunk:
                    fix = "copy it when nothing writes to it"
                    raise InvalidInput("file changed while it was read", name, fix)
                offset += len(chunk)  # noqa: PLW2901 - how far it is read
                yield chunk
        yield padding(holes.stored if holes else status.st_size)

    def _member(
        self, name: str, fd: int, status: os.stat_result, *, size: int = 0, link: str = ""
    ) -> Member:
        is_link = stat.S_ISLNK(status.st_mode)
        return Member(
            path=name,
            mode=status.st_mode,
            uid=status.st_uid,
            gid=status.st_gid,
            mtime_ns=status.st_mtime_ns,
            size=size,
            target=os.readlink("", dir_fd=fd) if is_link else "",
            rdev=status.st_rdev,
            xattrs={} if is_link or link else kept_xattrs(os.fsencode(name), _xattrs(fd)),
            link=link,
        )


class _reopened:  # noqa: N801 - used as a function
    """An object that is open as a place, open for reading; errors name it."""

    def __init__(self, place: int, flags: int, name: str) -> None:
        try:
            self._fd = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_CLOEXEC | flags)
        except OSError as error:
            raise OSError(error.errno, error.strerror, name) from error

    def __enter__(self) -> int:
        return self._fd

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _all_of(fd: int) -> bytes:
    """Return what a file has that says it is empty, up to 16 MiB."""
    parts = []
    for _ in range(16):
        try:
            part = os.read(fd, _CHUNK)
        except BlockingIOError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def _xattrs(fd: int) -> dict[bytes, bytes]:
    place = f"/proc/self/fd/{fd}"
    try:
        names = [os.fsencode(name) for name in os.listxattr(place)]
        return {name: os.getxattr(place, name) for name in names}
    except OSError as error:
        if error.errno in _WITHOUT:
            return {}
        raise
