"""File locks: flock(2), fcntl(2) of processes and of open file descriptions."""

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

F_OFD_SETLK = 37


def layers() -> list[images.LayerBuilder]:
    """A file to lock, under two names."""
    return [images.LayerBuilder().file("file", b"0123456789").hard_link("same", "file")]


def range_lock(fd: int, command: int, kind: int, start: int = 0, length: int = 0) -> None:
    """Set a lock of fcntl(2)."""
    fcntl.fcntl(fd, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, 0))


def elsewhere(body: Callable[[], object]) -> int:
    """Do something in another process; return the number of its error, 0 for none."""
    pid = os.fork()
    if pid == 0:
        number = 0
        try:
            body()
        except OSError as error:
            number = error.errno or 255
        os._exit(number)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def try_flock(path: Path, kind: int) -> Callable[[], None]:
    """Return what tries a lock of a whole file."""

    def body() -> None:
        with path.open("rb") as file:
            fcntl.flock(file, kind | fcntl.LOCK_NB)

    return body


def try_range(path: Path, command: int, start: int) -> Callable[[], None]:
    """Return what tries a lock of ten bytes."""

    def body() -> None:
        with path.open("r+b") as file:
            range_lock(file.fileno(), command, fcntl.F_WRLCK, start, 10)

    return body


def test_flock(mounting: Mounting) -> None:
    """Shared locks are shared, an exclusive one is alone, through either name and a copy-up."""

    def scenario(mount: Mount) -> None:
        path, same = mount.root / "file", mount.root / "same"
        held = os.open(path, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_SH)
        assert elsewhere(try_flock(same, fcntl.LOCK_SH)) == 0
        assert elsewhere(try_flock(same, fcntl.LOCK_EX)) == errno.EWOULDBLOCK
        same.chmod(0o600)
        assert elsewhere(try_flock(path, fcntl.LOCK_EX)) == errno.EWOULDBLOCK
        os.close(held)
        assert elsewhere(try_flock(path, fcntl.LOCK_EX)) == 0

    mounting.run(layers(), scenario)


@pytest.mark.parametrize("command", [fcntl.F_SETLK, F_OFD_SETLK])
def test_ranges(mounting: Mounting, command: int) -> None:
    """A range is locked against others where it is, and free where it is not."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "file"
        with path.open("r+b") as file:
            range_lock(file.fileno(), command, fcntl.F_WRLCK, 100, 10)
            for other in (fcntl.F_SETLK, F_OFD_SETLK):
                assert elsewhere(try_range(path, other, 105)) in {errno.EAGAIN, errno.EACCES}
                assert elsewhere(try_range(path, other, 110)) == 0
            range_lock(file.fileno(), command, fcntl.F_UNLCK, 100, 10)
            assert elsewhere(try_range(path, command, 105)) == 0

    mounting.run(layers(), scenario)


def test_locks_of_descriptions_are_apart(mounting: Mounting) -> None:
    """Of one process two descriptions exclude each other with F_OFD_SETLK, not with F_SETLK."""

    def scenario(mount: Mount) -> None:
        with (mount.root / "file").open("r+b") as one, (mount.root / "file").open("r+b") as other:
            range_lock(one.fileno(), F_OFD_SETLK, fcntl.F_WRLCK, 0, 10)
            with pytest.raises(BlockingIOError):
                range_lock(other.fileno(), F_OFD_SETLK, fcntl.F_WRLCK, 5, 10)
            range_lock(one.fileno(), fcntl.F_SETLK, fcntl.F_WRLCK, 50, 10)
            range_lock(other.fileno(), fcntl.F_SETLK, fcntl.F_WRLCK, 55, 10)

    mounting.run(layers(), scenario)


def test_locks_go_with_their_process(mounting: Mounting) -> None:
    """A process that ends leaves no lock behind."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "file"

        def end_with_locks() -> None:
            fd = os.open(path, os.O_RDWR)
            fcntl.flock(fd, fcntl.LOCK_EX)
            range_lock(fd, fcntl.F_SETLK, fcntl.F_WRLCK)

        assert elsewhere(end_with_locks) == 0
        assert elsewhere(try_flock(path, fcntl.LOCK_EX)) == 0
        assert elsewhere(try_range(path, fcntl.F_SETLK, 0)) == 0

    mounting.run(layers(), scenario)
