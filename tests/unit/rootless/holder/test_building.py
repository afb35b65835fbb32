"""A client that waits for a build."""

import marshal
import os
import signal
import socket

import pytest

from rootless.errors import RootlessError
from rootless.holder.building import attend


def test_signals_go_there_and_the_status_comes_back() -> None:
    """A signal of this process is told; the status that is told is its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        theirs.close()
        os._exit(attend(ours) + 10)  # type: ignore[arg-type]
    ours.close()
    with theirs:
        theirs.settimeout(10)
        while True:  # until it has its handlers
            os.kill(pid, signal.SIGWINCH)
            handlers = next(
                line
                for line in open(f"/proc/{pid}/status", encoding="ascii")  # noqa: SIM115
                if line.startswith("SigCgt")
            )
            if int(handlers.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
                break
        os.kill(pid, signal.SIGTERM)
        assert marshal.loads(theirs.recv(100)) == {"signal": signal.SIGTERM}
        theirs.send(marshal.dumps({"status": 3}))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 13


def test_a_keeper_that_is_gone() -> None:
    """Nobody says how it ended."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.close()
    with ours, pytest.raises(RootlessError, match="cut off"):
        attend(ours)  # type: ignore[arg-type]
