"""The holder: `python -m rootless.keeper RUNTIME-FOLDER`, started by the first run."""

import contextlib
import gc
import importlib
import marshal
import os
import select
import signal
import socket
import sys
import time
from array import array
from pathlib import Path

from rootless.holder import place
from rootless.keeper import stock
from rootless.keeper.stock import Stock
from rootless.linux import prctl
from rootless.linux.folder_lock import lock_dead, make_locked
from rootless.linux.private_folder import make_private
from rootless.linux.remove_tree import remove_tree
from rootless.overlay.shared import SharedLower

_MOST_BYTES = 300_000
_TICK_S = 5.0
_PAUSE_S = 0.03
_MOST_LOWERS = 3


class Holder:
    """What is warm, and who works with it."""

    def __init__(self, folder: str, keep_alive: float) -> None:
        self._folder = folder
        self._keep_alive = keep_alive
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self._lowers: dict[str, SharedLower] = {}
        self._idle: Stock | None = None
        self._busy: dict[int, Stock] = {}
        self._used = time.monotonic()
        self._request = b""

    def open(self) -> None:
        """Begin to take connections."""
        temp = f"{self._folder}/.door"
        self._listener.bind(temp)
        self._listener.listen(64)
        os.rename(temp, f"{self._folder}/{place.DOOR}")

    def give(self, door: socket.socket) -> None:
        """Let a keeper serve a connection."""
        self._used = time.monotonic()
        keeper = self._idle or self._fork()
        self._idle = None
        keeper.give(door)
        self._busy[keeper.end.fileno()] = keeper

    def serve(self) -> None:
        """Serve until nobody has asked for long."""
        while self._listener.fileno() >= 0:
            poll = select.poll()
            poll.register(self._listener, select.POLLIN)
            for fd in self._busy:
                poll.register(fd, select.POLLIN)
            ready = dict(poll.poll((_PAUSE_S if self._idle is None else _TICK_S) * 1000))
            if self._listener.fileno() in ready:
                door, _ = self._listener.accept()
                with door:
                    if self._may(door):
                        self.give(door)
            for fd in [fd for fd in self._busy if fd in ready]:
                self._hear(fd)
            if not ready:
                self._tick()

    def _tick(self) -> None:
        for key, lower in list(self._lowers.items()):
            if not Path(_tree_of(key)).exists():
                self._drop(key, lower)
        if self._idle is None:
            self._idle = self._fork()
        if time.monotonic() - self._used > self._keep_alive:
            self._listener.close()

    def _fork(self) -> Stock:
        others = [self._listener, *(each.end for each in self._busy.values())]
        return stock.fork(self._lowers, self._folder, others, self._request)

    def _may(self, door: socket.socket) -> bool:
        cred = door.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(cred[4:8], sys.byteorder) == os.getuid()

    def _hear(self, fd: int) -> None:
        keeper = self._busy[fd]
        data, fds = b"", array("i")
        with contextlib.suppress(OSError):
            data, ancillary, _, _ = keeper.end.recvmsg(
                _MOST_BYTES, socket.CMSG_LEN(32), socket.MSG_CMSG_CLOEXEC
            )
            for _, _, payload in ancillary:
                fds.frombytes(payload)
        if not data:
            del self._busy[fd]
            keeper.end.close()
            os.waitpid(keeper.pid, 0)
            self._used = time.monotonic()
            return
        message = marshal.loads(data)  # noqa: S302 - of our own
        if "modules" in message:
            for name in message["modules"]:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
            gc.collect()
            gc.freeze()
            self._renew()
        elif "lower" in message:
            self._keep(message, list(fds))
        elif "used" in message and message["used"] in self._lowers:
            key, self._request = message["used"], message["request"]
            self._lowers[key] = self._lowers.pop(key)

    def _keep(self, message: dict[str, str], fds: list[int]) -> None:
        key = message["lower"]
        lower = SharedLower.from_fds(Path(message["path"]), message["log"], fds)
        if key in self._lowers:
            lower.close()
            return
        self._lowers[key] = lower
        while len(self._lowers) > _MOST_LOWERS:
            self._drop(*next(iter(self._lowers.items())))
        self._renew()

    def _drop(self, key: str, lower: SharedLower) -> None:
        del self._lowers[key]
        lower.close()
        self._renew()

    def _renew(self) -> None:
        """End the one that waits: it holds what was there when it was forked."""
        if self._idle is not None:
            self._idle.end.close()
            os.waitpid(self._idle.pid, 0)
            self._idle = None

    def close(self) -> None:
        """Let go of everything; who runs goes on."""
        self._renew()
        for lower in self._lowers.values():
            lower.close()


def _tree_of(key: str) -> str:
    return key.split("'")[1]


def _sweep(parent: Path) -> None:
    """Remove the folders of those that were killed."""
    for path in parent.iterdir():
        dead = lock_dead(path)
        if dead is not None:
            remove_tree(path)
            os.close(dead)


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def main() -> int:
    """Hold."""
    signal.signal(signal.SIGTERM, _end)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    cwd = os.dup(3)  # the first client's
    os.closerange(3, cwd)
    os.closerange(cwd + 1, 1 << 20)
    os.chdir("/")
    prctl.set_name("rootless-holder")
    runtime = sys.argv[1]
    keep_alive = float(sys.argv[2])
    data = sys.stdin.buffer.read()
    make_private(Path(runtime))
    parent = Path(runtime) / place.FOLDER
    parent.mkdir(mode=0o700, exist_ok=True)
    folder = Path(place.folder_for(runtime, place.context()))
    _sweep(parent)
    try:
        lock = make_locked(folder)
    except FileExistsError:
        return 0  # another one was quicker
    try:
        holder = Holder(str(folder), keep_alive)
        gc.collect()
        gc.freeze()
        if data:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours, theirs:
                holder.give(theirs)
                null = os.open(os.devnull, os.O_RDWR)
                socket.send_fds(ours, [data], [cwd, null])
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
