"""What a keeper tells a client; its work is seen in tests/holder."""

import marshal
import socket

from rootless.keeper.watch import send


def test_a_client_that_has_gone_is_no_error() -> None:
    """A message comes as it was sent, or is for nobody."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            send(theirs, {"gone": True})
            assert marshal.loads(ours.recv(100)) == {"gone": True}
        send(ours, {"gone": True})
