"""Ending holders; that of a real one is in tests/holder."""

import os
import signal
import socket
from pathlib import Path

from rootless.holder.shutdown import shut_down


def test_who_listens_is_ended(tmp_path: Path) -> None:
    """The process behind a door gets SIGTERM; folders without one are passed over."""
    assert shut_down(tmp_path) == 0
    for name in ("one", "dead"):
        (tmp_path / "holder" / name).mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(tmp_path / "holder/one/door"))
        pid = os.fork()
        if pid == 0:
            listener.listen()  # who calls this is the peer (unix(7))
            (tmp_path / "ready").touch()
            signal.pause()
            os._exit(0)
    while not (tmp_path / "ready").exists():
        pass
    assert shut_down(tmp_path) == 1
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM
