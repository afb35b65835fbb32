"""The holder's loop: connections are given to keepers, and the stock of keepers is filled."""

import contextlib
import gc
import importlib
import marshal
import os
import select
import socket
import time
from array import array
from pathlib import Path
from typing import Any

from rootless.holder import place
from rootless.keeper import stock
from rootless.keeper.stock import Stock
from rootless.overlay.shared import SharedLower
from rootless.overlay.stem import Stem

_MOST_BYTES = 300_000
_TICK_S = 5.0
_PAUSE_S = 0.03
_QUIET_S = 60.0
_MOST_LOWERS = 3


class Holder:
    """What is warm, and who works with it."""

    def __init__(self, folder: str, keep_alive: float) -> None:
        self._folder = folder
        self._keep_alive = keep_alive
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self._stem = Stem()
        self._lowers: dict[str, SharedLower] = {}
        self._keepers: dict[int, Stock] = {}
        self._used = time.monotonic()
        self._request = b""
        self._ready_on = ""
        self._asked: list[str] = []
        self._cwd = "/"

    def open(self) -> None:
        """Begin to take connections."""
        temp = f"{self._folder}/{place.UNOPENED}"
        self._listener.bind(temp)
        self._listener.listen(64)
        os.rename(temp, f"{self._folder}/{place.DOOR}")

    def give(self, door: socket.socket, *, is_ready: bool = True) -> None:
        """Let a keeper serve a connection, one that has a container made if it may."""
        self._used = time.monotonic()
        waiting = self._waiting()
        waiting.sort(key=lambda each: each.is_ready != is_ready)
        for keeper in waiting:
            if is_ready or not keeper.is_ready:
                with contextlib.suppress(OSError):
                    keeper.give(door)
                    return
        self._fork(b"").give(door)

    def serve(self) -> None:
        """Serve until nobody has asked for long."""
        while self._listener.fileno() >= 0:
            poll = select.poll()
            for fd in (self._listener.fileno(), self._stem.end.fileno(), *self._keepers):
                poll.register(fd, select.POLLIN)
            pause = _PAUSE_S if self._lacks() else min(_TICK_S, self._keep_alive)
            ready = dict(poll.poll(pause * 1000))
            if self._listener.fileno() in ready:
                door, _ = self._listener.accept()
                with door:
                    if self._may(door):
                        self.give(door)
            if self._stem.end.fileno() in ready:
                self._stem.serve_next()
            for keeper in [self._keepers[fd] for fd in self._keepers if fd in ready]:
                if keeper in self._keepers.values():  # none of the others' news has ended it
                    self._hear(keeper)
            if not ready:
                self._tick()

    def close(self) -> None:
        """Let go of everything; who runs goes on."""
        self._listener.close()
        self._renew()
        for lower in self._lowers.values():
            lower.close()

    def _waiting(self) -> list[Stock]:
        return [each for each in self._keepers.values() if not each.is_asked]

    def _lacks(self) -> bool:
        """Tell whether one is to be put in stock when there is nothing else to do."""
        if time.monotonic() - self._used > _QUIET_S:
            return False
        return bool(self._ready_on) or not self._waiting()

    def _tick(self) -> None:
        for key, lower in list(self._lowers.items()):
            if not lower.is_whole():
                self._drop(key, lower)
        if time.monotonic() - self._used > _QUIET_S:
            self._renew()  # a stock for nobody takes up memory
        elif self._ready_on:
            key, self._ready_on = self._ready_on, ""
            if key in self._lowers:
                self._renew()  # beside what is better it takes seven megabytes
                self._fork(self._request, key, self._cwd)
        elif not self._waiting():
            self._fork(self._request)
        if time.monotonic() - self._used > self._keep_alive:
            self._listener.close()

    def _fork(self, request: bytes, ready_on: str = "", cwd: str = "") -> Stock:
        others = [self._listener, self._stem.end, *(each.end for each in self._keepers.values())]
        keeper = stock.fork(self._lowers, self._folder, others, request, (ready_on, cwd))
        self._keepers[keeper.end.fileno()] = keeper
        return keeper

    def _may(self, door: socket.socket) -> bool:
        _, uid = place.peer_of(door)
        return uid == os.getuid()

    def _hear(self, keeper: Stock) -> None:
        data, fds = b"", array("i")
        with contextlib.suppress(OSError):
            data, ancillary, _, _ = keeper.end.recvmsg(
                _MOST_BYTES, socket.CMSG_LEN(32), socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT
            )
            for _, _, payload in ancillary:
                fds.frombytes(payload)
        if data:
            self._take(keeper, marshal.loads(data), list(fds))  # noqa: S302 - of our own
            return
        if keeper.is_asked:
            self._used = time.monotonic()
        self._end(keeper)

    def _take(self, keeper: Stock, message: dict[str, Any], fds: list[int]) -> None:
        if "another" in message:  # another container than the one it has
            keeper.is_asked = False
            with socket.socket(fileno=fds[0]) as door:
                self.give(door, is_ready=False)
        elif "taken" in message:
            self._ready_on = next(reversed(self._lowers), "")
        elif "used" in message and message["used"] in self._lowers:
            key, self._request, self._cwd = message["used"], message["request"], message["cwd"]
            self._lowers[key] = self._lowers.pop(key)
            # who takes turns between several gets none of them made for nothing
            is_same = message["again"] and message["asked"] == self._asked
            self._ready_on = key if is_same else ""
            self._asked = message["asked"]
            self._renew(only_ready=True)
        elif "lower" in message:
            self._keep(message, fds)
        elif "modules" in message:
            for name in message["modules"]:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
            gc.collect()
            gc.freeze()
            self._renew()

    def _keep(self, message: dict[str, Any], fds: list[int]) -> None:
        key = message["lower"]
        lower = SharedLower.from_fds(Path(message["path"]), message["log"], fds)
        lower.tree = message["tree"]
        if key in self._lowers:
            lower.close()
            return
        self._lowers[key] = lower
        self._request, self._ready_on, self._asked = message["request"], key, message["asked"]
        self._cwd = message["cwd"]
        while len(self._lowers) > _MOST_LOWERS:
            self._drop(*next(iter(self._lowers.items())))
        self._renew()

    def _drop(self, key: str, lower: SharedLower) -> None:
        del self._lowers[key]
        lower.close()
        self._renew()

    def _renew(self, *, only_ready: bool = False) -> None:
        """End those that wait: they hold what was there when they were forked."""
        for keeper in self._waiting():
            if keeper.is_ready or not only_ready:
                self._end(keeper)

    def _end(self, keeper: Stock) -> None:
        del self._keepers[keeper.end.fileno()]
        keeper.finish()
