"""Trying in a throw-away namespace."""

import errno
import os
from pathlib import Path

import pytest

from rootless.doctor.attempt import attempt, mount_tmpfs
from rootless.userns.subid import Caller


@pytest.mark.both_users
def test_mount_goes_with_the_attempt(tmp_path: Path) -> None:
    """What was mounted inside is not seen outside, during or after."""
    assert attempt(lambda: mount_tmpfs(tmp_path), caller=Caller.current(), single=True) is None
    assert not os.path.ismount(tmp_path)


def test_error_of_the_body_comes_back() -> None:
    """What the kernel said inside is told outside."""

    def fail() -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    error = attempt(fail, caller=Caller.current(), single=True)
    assert error is not None
    assert error.what == "Read-only file system"
