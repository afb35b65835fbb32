"""Starting and ending a fetcher, for a run and for a command that needs files at once.

Imports nothing that fetches: that is the fetcher's, a program of its own.
"""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from rootless.errors import InvalidInput, RootlessError
from rootless.image import forms
from rootless.image.names import Located
from rootless.image.store import Store
from rootless.image.trees import relocated
from rootless.lazy.config import PATIENCE_S, FetcherConfig
from rootless.lazy.durable import settle

_FETCHER = "rootless.lazy.fetcher"
_STOP_S = 5.0
_PIECE = 1 << 16
_PATIENCE = "ROOTLESS_LAZY_PATIENCE"
_LONGEST_PATIENCE_S = 3600.0


def patience_s() -> float:
    """Return how long it is tried to reach a registry before a read of a missing file fails.

    Raises InvalidInput.
    """
    text = os.environ.get(_PATIENCE, "")
    if not text:
        return PATIENCE_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _LONGEST_PATIENCE_S:
        raise InvalidInput(f"{_PATIENCE} is not a number of seconds", text, "it is 10 by default")
    return seconds


@dataclass(slots=True)
class Fetcher:
    """A fetcher that runs.

    Attributes:
        process: It.
        news_fd: Brings what it tells; -1 when that has ended.
        server_fd: The FUSE server's end of its socket; -1 once that is given away.
    """

    process: "subprocess.Popen[bytes]"
    news_fd: int
    server_fd: int
    _names: list[int] = field(default_factory=list)
    _rest: bytes = b""

    @classmethod
    def start(cls, config: FetcherConfig, *, has_server: bool) -> Self:
        """Start a fetcher; the config's descriptors are filled in here. Raises RootlessError."""
        news_fd, its_news_fd = os.pipe()
        server_fd, its_server_fd = -1, -1
        if has_server:
            ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            server_fd, its_server_fd = ours.detach(), its.detach()
        passed = [fd for fd in (its_news_fd, its_server_fd) if fd >= 0]
        document = replace(config, news_fd=its_news_fd, server_fd=its_server_fd).to_json()
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", _FETCHER, document],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=passed,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            for fd in (news_fd, server_fd):
                if fd >= 0:
                    os.close(fd)
            what = f"cannot start a process: {error.strerror}"
            raise RootlessError(what, fix="look at ulimit -u and free memory") from error
        finally:
            for fd in passed:
                os.close(fd)
        return cls(process, news_fd, server_fd)

    def give_server_end(self) -> None:
        """Let go of the server's end: from here on the fetcher ends with the server."""
        if self.server_fd >= 0:
            os.close(self.server_fd)
            self.server_fd = -1

    def hold(self, names: Sequence[int]) -> None:
        """Keep the layers' folders until `let_go`: locked descriptors of them."""
        self._names += names

    def let_go(self) -> None:
        """Let the layers' folders go, once the server has opened them; harmless when repeated."""
        while self._names:
            fd = self._names.pop()
            fcntl.flock(fd, fcntl.LOCK_UN)  # copies of it are in the processes that were forked
            os.close(fd)

    def news(self) -> Iterator[dict[str, Any]]:
        """Yield what was told; waits for something, and closes `news_fd` at the end."""
        data = os.read(self.news_fd, _PIECE)
        if not data:
            os.close(self.news_fd)
            self.news_fd = -1
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def stop(self) -> None:
        """End it, by force where it does not follow. Harmless when repeated."""
        self.let_go()
        self.give_server_end()
        if self.news_fd >= 0:
            os.close(self.news_fd)
            self.news_fd = -1
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_beside(
    store: Store, tree: Path, layers: Sequence[Path], log_path: Path
) -> tuple[Located, Fetcher | None]:
    """Start a fetcher for a FUSE server of layers, where some are lazy.

    Returns where tree and layers are now, and the fetcher. Until `Fetcher.let_go` no layer's folder
    goes, although the layer may become an ordinary one.

    Raises NotFound, StoreError, InvalidInput, RootlessError.
    """
    there, names = _held(store, tree, layers)
    if not names:
        return there, None
    try:
        config = FetcherConfig(_folders(there), -1, patience_s=patience_s(), log_path=str(log_path))
        fetcher = Fetcher.start(config, has_server=True)
    except BaseException:
        for fd in names:
            os.close(fd)
        raise
    fetcher.hold(names)
    return there, fetcher


def _held(store: Store, tree: Path, layers: Sequence[Path]) -> tuple[Located, list[int]]:
    """Lock the folders of lazy layers, together with others; look again where one has just gone."""
    while True:
        there = relocated(store, tree, layers)
        names: list[int] = []
        try:
            for _, folder in _folders(there):
                names.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                fcntl.flock(names[-1], fcntl.LOCK_SH)
                settle(Path(folder))  # before anybody reads by the marks
            if all(path.exists() for path in (there.tree, *there.layers)):
                return there, names
        except FileNotFoundError:
            pass
        except BaseException:
            for fd in names:
                os.close(fd)
            raise
        for fd in names:
            os.close(fd)


def _folders(there: Located) -> tuple[tuple[int, str], ...]:
    return tuple(
        (number, str(layer.parent))
        for number, layer in enumerate(there.layers)
        if forms.is_lazy(layer)
    )
