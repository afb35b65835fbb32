"""Files and folders that are there when they are complete: what a command writes for the user.

A file has no name while it is written (O_TMPFILE, open(2)), so that not even `kill -9` leaves a
part of it; file systems that cannot do that get a name that begins with `.tmp-`. A folder has such
a name, locked while it is written; the next one of the same name takes the place of a dead one.
"""

import errno
import glob
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rootless.errors import Conflict, NotFound, RootlessError, StoreError
from rootless.image import lock
from rootless.image.store import TEMP_PREFIX, TempFile, write_all
from rootless.linux.remove_tree import remove_tree
from rootless.linux.unnamed_file import give_name, open_unnamed
from rootless.oci.digest import Digest

_CAUSES = {
    errno.ENOSPC: ("no space left on the device", "free some, or write elsewhere"),
    errno.EDQUOT: ("disk quota exceeded", "free some, or write elsewhere"),
    errno.EROFS: ("the file system is read-only", "write elsewhere"),
    errno.EACCES: ("no permission", ""),
    errno.EPERM: ("not permitted", ""),
    errno.EFBIG: ("file too large for the file system or for `ulimit -f`", ""),
}


@contextmanager
def explained(where: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an OSError about what is written into a line for the user; a broken pipe passes."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        name = os.fspath(where)
        if error.errno == errno.ENOENT:
            raise NotFound("no such folder", os.path.dirname(name) or name) from error
        text = error.strerror or str(error)
        what, fix = _CAUSES.get(error.errno or 0, (text[:1].lower() + text[1:], ""))
        raise StoreError(what, name, fix) from error


@contextmanager
def new_file(output: str) -> Iterator[int]:
    """Give a descriptor to write to; the file has its name once the block has ended well.

    What is there is replaced, unless it is no regular file: a device or a pipe is written to.
    """
    path = Path(os.path.realpath(output))
    with explained(output):
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            if path.is_dir():
                raise Conflict("a folder is in the place of a file", output)
            with open(path, "wb", buffering=0) as file:
                yield file.fileno()
            return
        fd = open_unnamed(path.parent, 0o600)
    if fd < 0:
        with explained(output), TempFile(path.parent) as temp:
            yield temp.fd
            os.fsync(temp.fd)
            os.fchmod(temp.fd, 0o666 & ~_umask())
            os.rename(temp.path, path)
            os.close(temp.fd)
            temp.fd = -1
        return
    try:
        with explained(output):
            yield fd
            os.fsync(fd)
            os.fchmod(fd, 0o666 & ~_umask())
            give_name(fd, path, path.with_name(f"{TEMP_PREFIX}{secrets.token_hex(8)}"))
    finally:
        os.close(fd)


def write_digest(output: str, digest: Digest) -> None:
    """Write what `--digestfile` asks for: the digest, as podman without an end of line."""
    with new_file(output) as fd:
        write_all(fd, digest.encode())


@contextmanager
def new_folder(output: str, remove: Callable[[Path], None] = remove_tree) -> Iterator[Path]:
    """Give a folder to fill; it has its name once the block has ended well.

    Args:
        output: The folder.
        remove: Removes one that will not be needed: a failed one, or a killed process's.

    Raises:
        Conflict: Something is there, and no empty folder.
    """
    path = Path(os.path.realpath(output))
    with explained(output):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            fix = "remove it, or name another"
            raise Conflict("the destination exists", output, fix)
        _sweep(path, remove)
        partial = path.with_name(f"{TEMP_PREFIX}{path.name}-{secrets.token_hex(4)}")
        partial.mkdir()
    fd = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock.try_lock(fd)
        yield partial
        with explained(output):
            os.rename(partial, path)
    except BaseException:
        with suppress(OSError, RootlessError):
            remove(partial)
        raise
    finally:
        os.close(fd)


def _sweep(path: Path, remove: Callable[[Path], None]) -> None:
    """Remove what killed processes left of this folder."""
    for dead in path.parent.glob(f"{TEMP_PREFIX}{glob.escape(path.name)}-????????"):
        with suppress(OSError, RootlessError):
            fd = os.open(dead, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if lock.try_lock(fd):
                    remove(dead)
            finally:
                os.close(fd)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
