"""Whose the run-time folder is."""

from pathlib import Path

import pytest

from rootless.errors import StoreError
from rootless.linux.private_folder import check_private, make_private


def test_made_for_the_caller_alone(tmp_path: Path) -> None:
    """It has mode 0700, and stays as it is where it was."""
    folder = tmp_path / "run" / "rootless"
    make_private(folder)
    assert folder.stat().st_mode & 0o7777 == 0o700
    folder.chmod(0o755)
    make_private(folder)
    assert folder.stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o720])
def test_one_that_others_may_write(tmp_path: Path, mode: int) -> None:
    """A group's folder is refused as everybody's is."""
    tmp_path.chmod(mode)
    with pytest.raises(StoreError, match="not yours alone"):
        check_private(tmp_path)


@pytest.mark.needs_user
def test_one_of_another_user() -> None:
    """Root's is not the caller's, and a link to one's own is none."""
    with pytest.raises(StoreError, match="not yours alone"):
        check_private(Path("/etc"))
