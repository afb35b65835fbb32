"""Servers as forks of a process that lives longer: what both have imported is in memory once.

A server that is a program of its own takes 15 MiB for Python and pyfuse3; one that is forked
takes what it writes to. Who forks has one thread, and does not use pyfuse3 itself.
"""

import os
import socket

from fuse import server
from rootless.linux import prctl
from rootless.overlay import spare


class Stem:
    """The side that forks; what else it forks asks it through `spare`, without knowing.

    Attributes:
        end: Readable when somebody asks.
    """

    def __init__(self) -> None:
        """Have servers forked by this process, which is to call `serve_next` when it is asked."""
        self.end, asks = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        spare.ask(asks.detach())

    def serve_next(self) -> None:
        """Fork the server that somebody asks for."""
        pid = os.fork()
        if pid == 0:
            try:
                prctl.set_name("rootless-fuse")
                server.serve_next(self.end.detach())
            finally:
                os._exit(1)
        os.waitpid(pid, 0)  # the server's parent, which ends when it has told of it
