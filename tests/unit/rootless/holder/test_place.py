"""Where a holder is met."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from rootless.holder.place import (
    UNOPENED,
    context,
    folder_for,
    has_room,
    is_private,
    peer_of,
    runtime_folder,
)
from rootless.paths import Paths


@pytest.mark.parametrize("is_set", [True, False])
def test_the_folder_is_that_of_paths(tmp_path: Path, *, is_set: bool) -> None:
    """Both sides compute one folder, in a log-in session and without."""
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / ("" if is_set else "no"))}
    found = Path(runtime_folder(environ))
    if is_set:
        assert found == Paths.from_environment(environ).runtime == tmp_path / "rootless"
    else:
        assert found.name == f"rootless-{os.getuid()}"


def test_a_folder_for_each_context() -> None:
    """What differs in a character has another folder; what does not, the same."""
    own = context()
    assert own == context()
    assert str(os.getuid()) in own.split("\n")
    assert os.readlink("/proc/self/ns/mnt") in own.split("\n")
    assert folder_for("/run/x", own) == folder_for("/run/x", own)
    assert folder_for("/run/x", own) != folder_for("/run/x", own + "x")
    assert folder_for("/run/x", own).startswith("/run/x/holder/")


def test_a_folder_that_others_can_write_to(tmp_path: Path) -> None:
    """Only a folder of one's own that nobody else may write to is trusted; a link is not."""
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    assert is_private(str(folder))
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert not is_private(str(link))
    folder.chmod(0o770)
    assert not is_private(str(folder))


def test_a_path_that_is_too_long_for_a_socket() -> None:
    """The longest that is said to have room can be bound, and one byte more can not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        longest = max(n for n in range(1, 200) if has_room(f"{short}/{'x' * n}"))
        for length, fits in ((longest, True), (longest + 1, False)):
            folder = f"{short}/{'x' * length}"
            os.mkdir(folder)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                if fits:
                    listener.bind(f"{folder}/{UNOPENED}")
                else:
                    with pytest.raises(OSError, match="too long"):
                        listener.bind(f"{folder}/{UNOPENED}")


def test_who_is_at_the_other_end() -> None:
    """The kernel says so, of whoever made it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        assert peer_of(ours) == (os.getpid(), os.getuid())
