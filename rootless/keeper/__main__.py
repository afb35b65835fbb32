"""The holder, started by the first run: `python -m rootless.keeper RUNTIME SECONDS CWD LOCK`.

The last two are descriptors: the first client's directory, and the holder's folder, locked.
"""

from rootless.late_imports import postpone_for_holder

if __name__ == "__main__":
    postpone_for_holder()
    with open("/proc/self/comm", "wb", buffering=0) as comm:  # before the imports, which take long
        comm.write(b"rootless-holder")

# isort: split

import contextlib
import gc
import marshal
import os
import signal
import socket
import sys
from pathlib import Path

from rootless.holder import place
from rootless.keeper.holder import Holder
from rootless.keeper.stock import rehearse
from rootless.linux.folder_lock import lock_dead
from rootless.linux.private_folder import check_private
from rootless.linux.remove_tree import remove_tree


def _keep_open(*fds: int) -> None:
    """Close all but these and the standard streams, and let no other program have them."""
    low = 3
    for fd in sorted(fds):
        os.set_inheritable(fd, False)
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 1 << 20)


def _sweep(parent: Path) -> None:
    """Remove the folders of those that were killed."""
    for path in parent.iterdir():
        dead = lock_dead(path)
        if dead is not None:
            remove_tree(path)
            os.close(dead)


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def _get_warm(request: bytes) -> None:
    """Be what keepers are going to be forked from; nobody waits yet."""
    own = dict(os.environ)
    rehearse(request)
    os.environ.clear()
    os.environ.update(own)


def main() -> int:
    """Hold."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the command line of a job blocks some
    signal.signal(signal.SIGTERM, _end)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    runtime = sys.argv[1]
    keep_alive = float(sys.argv[2])
    cwd, lock = map(int, sys.argv[3:])
    _keep_open(cwd, lock)
    os.chdir("/")
    data = sys.stdin.buffer.read()
    check_private(Path(runtime))
    folder = Path(place.folder_for(runtime, place.context()))
    if not os.path.samestat(os.fstat(lock), folder.lstat()):
        return 1
    _sweep(folder.parent)
    try:
        holder = Holder(str(folder), keep_alive)
        if data:
            _get_warm(data)
        gc.collect()
        gc.freeze()
        if data:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours, theirs:
                holder.give(theirs)
                null = os.open(os.devnull, os.O_RDWR)
                # by now its sender has what he asked for, and wants no second one
                asked = {**marshal.loads(data), "warms": True}  # noqa: S302 - of our own
                socket.send_fds(ours, [marshal.dumps(asked)], [cwd, null])
                os.close(null)
                os.close(cwd)
        holder.open()
        with contextlib.suppress(SystemExit):
            holder.serve()
        holder.close()
    finally:
        remove_tree(folder)
        os.close(lock)
    return 0


sys.exit(main())
