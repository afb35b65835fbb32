"""A build in a fork; what one makes is seen in tests/holder."""

import marshal
import os
import socket
import sys
from pathlib import Path

import pytest

from rootless.keeper import building
from rootless.keeper.plan import Declined


def test_unusual_words_are_declined() -> None:
    """Before anything is done."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, pytest.raises(Declined):
        building.serve(ours, ["build", "--no-such-option"], (0, 1, 2), {}, print)


def test_its_streams_are_those_that_came(tmp_path: Path) -> None:
    """An error of the build is a line there, and its status is told."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    said = tmp_path / "said"
    pid = os.fork()
    if pid == 0:
        ours.close()
        sys.stderr = sys.__stderr__  # the test's own is a stand-in
        null = os.open(os.devnull, os.O_RDWR)
        error = os.open(said, os.O_WRONLY | os.O_CREAT, 0o600)
        words = ["build", "-f", str(tmp_path / "nowhere"), str(tmp_path)]
        building.serve(theirs, words, (null, os.dup(null), error), {}, lambda _: None)
        os._exit(0)
    theirs.close()
    with ours:
        ours.settimeout(30)
        assert marshal.loads(ours.recv(100)) == {"begun": True}
        assert marshal.loads(ours.recv(100)) == {"status": 125}
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert "nowhere" in said.read_text()
