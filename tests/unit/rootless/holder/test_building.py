"""A client that waits for a build."""

import marshal
import os
import signal
import socket
import time
from pathlib import Path

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
        while not _catches(pid, signal.SIGTERM):
            time.sleep(0.01)
        os.kill(pid, signal.SIGTERM)
        assert marshal.loads(theirs.recv(100)) == {"signal": signal.SIGTERM}
        theirs.send(marshal.dumps({"status": 3}))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 13


def _catches(pid: int, number: int) -> bool:
    words = Path(f"/proc/{pid}/status").read_text(encoding="ascii").split()
    return bool(int(words[words.index("SigCgt:") + 1], 16) >> (number - 1) & 1)


def test_a_keeper_that_is_gone() -> None:
    """Nobody says how it ended."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.close()
    pid = os.fork()  # a client ends with it, and what it has opened
    if pid == 0:
        try:
            attend(ours)  # type: ignore[arg-type]
        except RootlessError as error:
            os._exit(3 if "cut off" in str(error) else 4)
        os._exit(5)
    ours.close()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
