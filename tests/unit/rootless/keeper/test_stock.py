"""A keeper in stock, asked by a stand-in for a client."""

import marshal
import os
import socket
from pathlib import Path

from rootless.keeper import stock


def test_one_serves_once_and_ends(tmp_path: Path) -> None:
    """It declines what it does not serve, and leaves the process that forked it as it was."""
    before = dict(os.environ)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    keeper = stock.fork({}, str(tmp_path), [ours], b"")
    with ours, keeper.end, open(os.devnull, "w") as null:
        with theirs:
            keeper.give(theirs)
        request = {
            "words": ["run", "--bundle", "x"],
            "environ": {"PATH": "/bin"},
            "umask": 0o22,
            "tty": "",
        }
        cwd = os.open("/", os.O_PATH)
        socket.send_fds(ours, [marshal.dumps(request)], [cwd, null.fileno()])
        os.close(cwd)
        assert marshal.loads(ours.recv(65536)) == {"no": "bundle"}
        assert ours.recv(65536) == b""
        assert os.waitstatus_to_exitcode(os.waitpid(keeper.pid, 0)[1]) == 0
    assert dict(os.environ) == before


def test_one_that_nobody_wants_ends(tmp_path: Path) -> None:
    """The end of the holder's side ends it."""
    keeper = stock.fork({}, str(tmp_path), [], b"")
    keeper.end.close()
    assert os.waitstatus_to_exitcode(os.waitpid(keeper.pid, 0)[1]) == 0
