"""`rootless.image.store_errors`: what the user reads for an errno."""

import errno
import os
from pathlib import Path

import pytest

from rootless.errors import NotFound, StoreError
from rootless.image.store_errors import explain, store_error

ELSEWHERE = "free some, or set ROOTLESS_HOME elsewhere"


@pytest.mark.parametrize(
    ("number", "what", "fix"),
    [
        (errno.ENOSPC, "no space left for the store", ELSEWHERE),
        (errno.EDQUOT, "disk quota exceeded", ELSEWHERE),
        (
            errno.EROFS,
            "the store is read-only",
            "set ROOTLESS_HOME to a folder that can be written",
        ),
        (errno.EACCES, "no permission", "set ROOTLESS_HOME to a folder of your own"),
        (errno.EPERM, "not permitted", "set ROOTLESS_HOME to a folder of your own"),
        (errno.EFBIG, "file too large for the file system or for `ulimit -f`", ""),
        (errno.EIO, "input/output error", "the disk or the network behind it is failing"),
    ],
)
def test_what_a_store_runs_into(number: int, what: str, fix: str) -> None:
    """The usual causes are named in the user's words, with the way out."""
    error = store_error(OSError(number, os.strerror(number)), "/store/blob")
    assert (error.what, error.on, error.fix) == (what, "/store/blob", fix)


def test_any_other_errno() -> None:
    """What has no words of ours has the kernel's, as a clause."""
    error = store_error(OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), Path("/store"))
    assert str(error) == "not a directory: /store"


def test_an_oserror_without_an_errno() -> None:
    """What a library raised with a text only still says something."""
    assert str(store_error(OSError("Strange things"), "/store")) == "strange things: /store"


def test_the_file_that_the_kernel_named() -> None:
    """The path in the error is nearer to the cause than the one of the block."""
    error = store_error(OSError(errno.EIO, "x", "/store/trees/1"), "/store")
    assert error.on == "/store/trees/1"
    error = store_error(OSError(errno.EIO, "x", 7), "/store")  # a descriptor's number
    assert error.on == "/store"


def test_the_target_of_a_rename(tmp_path: Path) -> None:
    """Of two files the one that was to be is named, not the temporary one."""
    (tmp_path / "temp").touch()
    (tmp_path / "name").mkdir()
    with pytest.raises(StoreError) as caught, explain(tmp_path):
        os.rename(tmp_path / "temp", tmp_path / "name")
    assert str(caught.value) == f"is a directory: {tmp_path / 'name'}"


def test_explain(tmp_path: Path) -> None:
    """An error of the kernel out of the block is translated, and stays as the cause."""
    with pytest.raises(StoreError) as caught, explain(tmp_path):
        os.open(tmp_path / "none", os.O_RDONLY)
    assert str(caught.value) == f"no such file or directory: {tmp_path / 'none'}"
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_what_explain_lets_pass() -> None:
    """Errors of ours and faults of the program are not touched."""
    ours = NotFound("no such image")
    with pytest.raises(NotFound) as caught, explain("/store"):
        raise ours
    assert caught.value is ours
    with pytest.raises(ValueError, match="bug"), explain("/store"):
        raise ValueError("bug")
