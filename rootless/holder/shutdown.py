"""Ending the holders of this user: they let go of what nobody uses; what runs goes on."""

import contextlib
import os
import select
import signal
import socket
from pathlib import Path

from rootless.holder import place

_PATIENCE_MS = 10_000


def shut_down(runtime: Path) -> int:
    """End all holders, whatever context they are for; return how many there were."""
    try:
        folders = sorted((runtime / place.FOLDER).iterdir())
    except OSError:
        return 0
    return sum(_end(folder / place.DOOR) for folder in folders)


def _end(door: Path) -> bool:
    """End one; False where there is none any more.

    Its process ID is the kernel's word, and good as long as the connection is: it waits there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as end:
        try:
            end.connect(str(door))
            pid, uid = place.peer_of(end)
            pidfd = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            if uid == os.getuid():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
                poll = select.poll()
                poll.register(pidfd, select.POLLIN)
                poll.poll(_PATIENCE_MS)
        finally:
            os.close(pidfd)
    return True
