"""`rootless.bundle.caller`: who started the container."""

import os
import pwd
from pathlib import Path

import pytest

from rootless.bundle.caller import HostUser, current_folder
from rootless.errors import NotFound


def test_home_is_what_the_environment_says() -> None:
    """An absolute $HOME wins over passwd; another one says nothing."""
    try:
        known = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        known = "/"
    assert HostUser.current({"HOME": "/else/where"}).home == "/else/where"
    assert HostUser.current({"HOME": "here"}).home == known
    assert HostUser.current({}).home == known


def test_ids_are_this_process_s() -> None:
    """IDs and names are never empty, whoever this is."""
    user = HostUser.current({})
    assert (user.uid, user.gid) == (os.getuid(), os.getgid())
    assert user.name
    assert user.group


def test_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is where one stands; who stands in a folder that is gone is told so."""
    folder = tmp_path / "f"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert current_folder() == str(folder)
    folder.rmdir()
    with pytest.raises(NotFound, match="the current folder was removed"):
        current_folder()
