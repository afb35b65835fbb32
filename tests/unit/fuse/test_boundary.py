"""Every handler's outcome is an answer."""

import errno
import inspect
import logging
from typing import Any

import pyfuse3
import pytest
import trio

from fuse.boundary import bounded, fuse_error


def outcome(handler: Any, *arguments: Any) -> Any:
    """Call a handler to its end."""
    return trio.run(handler, *arguments)


class Raises(pyfuse3.Operations):
    """Raises whatever it is made with, from handlers of one to six arguments."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    async def release(self, fh: int) -> None:
        """One argument."""
        raise self.error

    async def getattr(self, inode: int, ctx: Any) -> Any:
        """Two."""
        raise self.error

    async def lookup(self, parent_inode: int, name: bytes, ctx: Any) -> Any:
        """Three."""
        raise self.error

    async def mknod(self, parent_inode: int, name: bytes, mode: int, rdev: int, ctx: Any) -> Any:
        """Five."""
        raise self.error

    async def forget(self, inode_list: Any) -> None:
        """Answer nothing."""
        raise self.error


Bounded = bounded(Raises)
CALLS = [("release", 1), ("getattr", 2), ("lookup", 3), ("mknod", 5)]


@pytest.mark.parametrize(("name", "count"), CALLS)
def test_an_oserror_is_its_errno(name: str, count: int) -> None:
    """What the core raises reaches the kernel as it is."""
    operations = Bounded(FileNotFoundError(errno.ENOENT, "gone"))
    with pytest.raises(pyfuse3.FUSEError) as caught:
        outcome(getattr(operations, name), *range(count))
    assert caught.value.errno == errno.ENOENT


@pytest.mark.parametrize(("name", "count"), CALLS)
def test_anything_else_is_eio_with_a_traceback(
    name: str, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours is EIO, and one record with the traceback."""
    with pytest.raises(pyfuse3.FUSEError) as caught:
        outcome(getattr(Bounded(ValueError("oops")), name), *range(count))
    assert caught.value.errno == errno.EIO
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert caplog.records[0].exc_info is not None


def test_a_fuse_error_passes(caplog: pytest.LogCaptureFixture) -> None:
    """FUSEError is what it is, and no record."""
    with pytest.raises(pyfuse3.FUSEError) as caught:
        outcome(Bounded(pyfuse3.FUSEError(errno.EXDEV)).getattr, 1, None)
    assert caught.value.errno == errno.EXDEV
    assert not caplog.records


def test_forget_never_raises(caplog: pytest.LogCaptureFixture) -> None:
    """An error of forget is logged only."""
    outcome(Bounded(ValueError("oops")).forget, [])
    assert len(caplog.records) == 1


def test_base_exceptions_pass() -> None:
    """The interpreter's own end is not swallowed."""
    with pytest.raises(SystemExit):
        outcome(Bounded(SystemExit(3)).getattr, 1, None)


def test_an_oserror_without_errno_is_eio(caplog: pytest.LogCaptureFixture) -> None:
    """An OSError made without a number is a mistake of ours."""
    assert fuse_error(OSError("what")).errno == errno.EIO
    assert len(caplog.records) == 1


def test_no_handler_is_forgotten() -> None:
    """Every coroutine of pyfuse3's base class is wrapped, inherited ones included."""
    for name, base in vars(pyfuse3.Operations).items():
        if inspect.iscoroutinefunction(base):
            assert getattr(Bounded, name) is not base, name
    with pytest.raises(pyfuse3.FUSEError) as caught:
        outcome(Bounded(ValueError()).statfs, None)
    assert caught.value.errno == errno.ENOSYS
