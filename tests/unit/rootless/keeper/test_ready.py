"""A container in stock; served ones are in tests/holder."""

import os
import socket

from rootless.keeper.ready import client_of


def test_who_comes_is_the_kernel_s_word() -> None:
    """The client is the process at the other end of the connection."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        client = client_of(one)
    assert client is not None
    assert client.pid == os.getpid()
