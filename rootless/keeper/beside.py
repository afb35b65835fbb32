"""One plan for two keepers: the one that makes a container of it, and one that waits for anything.

Planning writes to some 1,400 pages of what a fork has in common with the holder, as it counts
references. So it is done once, and the second is forked when it has been done.
"""

import logging
import marshal
import os
import socket
from collections.abc import Callable
from typing import NoReturn

log = logging.getLogger(__name__)


def fork_beside(
    end: socket.socket, as_before: Callable[[], None], work: Callable[[socket.socket], None]
) -> None:
    """Fork one as nobody's child, and tell the holder of it.

    Args:
        end: To the holder.
        as_before: Called in the new process: what the plan has changed is as it was.
        work: What it does then, with an end to the holder of its own.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        between = os.fork()
        if between:
            os.waitpid(between, 0)
            return
        pid = os.fork()
        if pid:
            end_after(lambda: _tell(end, pid, ours))
        end.close()
        ours.close()
        end_after(lambda: _be_beside(theirs, as_before, work))


def _be_beside(
    own: socket.socket, as_before: Callable[[], None], work: Callable[[socket.socket], None]
) -> None:
    as_before()
    os.chdir("/")
    os.umask(0o22)
    work(own)


def _tell(end: socket.socket, pid: int, ours: socket.socket) -> None:
    fds = [ours.fileno(), os.pidfd_open(pid)]
    socket.send_fds(end, [marshal.dumps({"beside": pid})], fds)


def end_after(work: Callable[[], None]) -> NoReturn:
    """Do something and end the process, whatever comes of it."""
    status = 1
    try:
        work()
        status = 0
    except BaseException as error:  # noqa: BLE001 - nothing may return into the holder's code
        log.debug("a keeper ends: %s", error)
    finally:
        os._exit(status)
