"""A run in the background that cannot be; one that can is seen in tests/holder."""

import marshal
import socket
from pathlib import Path

from rootless.containers.request import RunRequest
from rootless.keeper import detached
from rootless.keeper.plan import Asked
from rootless.paths import Paths


def test_an_error_is_told(tmp_path: Path) -> None:
    """The client is told first that there is no other way, and then what is wrong."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    (tmp_path / "cid").touch()
    request = RunRequest(cidfile=str(tmp_path / "cid"), detach=True)
    with ours, theirs:
        asked = Asked(Paths.from_environment(), "image", request, ())
        detached.serve(theirs, asked, None)
        assert marshal.loads(ours.recv(4096)) == {"detached": True}
        told = marshal.loads(ours.recv(4096))
        assert "there already" in str(told["error"])
