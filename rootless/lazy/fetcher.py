"""The fetcher: `python -m rootless.lazy.fetcher JSON` (`config`), beside a FUSE server or alone.

What it guarantees:

- What the server asks for comes first, several things at once; the rest while nothing is asked for.
- Nothing is marked before it is checked and written: it may be killed at any moment.
- It ends when the server's end of the socket is closed, and leaves no process behind.
- A registry that cannot be reached is waited for, in the background; who reads what is not there
  gets EIO after a bounded time, and all else goes on.

It runs where the command runs, in the host's network, and reads the auth files itself.
"""

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from rootless.errors import IntegrityError, RootlessError, StoreError
from rootless.lazy import promote
from rootless.lazy.background import Background
from rootless.lazy.config import FetcherConfig
from rootless.lazy.demand import Demand
from rootless.lazy.fetch import Fetch
from rootless.lazy.layer import Layer
from rootless.lazy.pace import Pace
from rootless.lazy.remote import Remote
from rootless.linux import prctl

log = logging.getLogger(__name__)

_IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP, signal.SIGPIPE)
_FAULTS = (RootlessError, OSError)


@dataclass(slots=True)
class News:
    """What whoever started the fetcher is told.

    Attributes:
        fd: A pipe that is never waited for.
    """

    fd: int

    def say(self, text: str) -> None:
        """Tell a line that the user should see."""
        log.warning("%s", text)
        self.send({"say": text})

    def send(self, news: dict[str, Any]) -> None:
        """Tell anything; where nobody reads it, it is lost."""
        with contextlib.suppress(OSError):
            os.write(self.fd, json.dumps(news).encode() + b"\n")


@dataclass(slots=True)
class Fetcher:
    """One fetcher at work."""

    config: FetcherConfig
    news: News
    layers: dict[int, Layer] = field(default_factory=dict)

    async def run(self) -> None:
        """Fetch until the server has gone, or until all is done; raises what keeps it from that."""
        with ExitStack() as opened:
            for number, folder in self.config.layers:
                self.layers[number] = opened.enter_context(Layer(Path(folder)))
            if self.config.server_fd < 0:
                await self._alone()
            else:
                await self._beside_a_server()

    async def _beside_a_server(self) -> None:
        end = trio.socket.from_stdlib_socket(socket.socket(fileno=self.config.server_fd))
        pace = Pace()
        async with Remote(os.environ, self.config.patience_s, self.news.say) as remote:
            fetch = Fetch(remote)
            async with trio.open_nursery() as nursery, trio.SocketStream(end) as stream:
                background = self._background(fetch, pace, lambda _: None, is_patient=True)
                nursery.start_soon(background.run, list(self.layers.values()))
                await Demand(stream, self.layers, fetch, pace).serve()
                nursery.cancel_scope.cancel()

    async def _alone(self) -> None:
        layers = self.layers.values()
        self.news.send({"total": sum(layer.missing_bytes() for layer in layers)})
        async with Remote(os.environ, self.config.patience_s, lambda _: None) as remote:
            fetch = Fetch(remote)
            for number, offset, length in self.config.wanted:
                layer = self.layers[number]
                await fetch.ensure(layer, layer.numbers(offset, length))
            if self.config.completes:
                tell = self._came
                background = self._background(fetch, Pace(), tell, is_patient=False)
                await background.run(list(layers))

    def _came(self, size: int) -> None:
        self.news.send({"came": size})

    def _background(
        self, fetch: Fetch, pace: Pace, tell: Callable[[int], None], *, is_patient: bool
    ) -> Background:
        return Background(fetch, pace, _promote, tell, is_patient)


async def _promote(layer: Layer) -> None:
    """Have a layer that is whole promoted; raises IntegrityError, StoreError."""
    words = [sys.executable, "-P", "-m", promote.__name__, f"sha256:{layer.folder.name}"]
    done = await trio.run_process(
        words,
        stdin=subprocess.DEVNULL,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    text = done.stderr.decode(errors="replace").strip() or f"status {done.returncode}"
    if done.returncode == promote.WRONG:
        # the chunks have digests of their own: only what lies between them can be wrong
        layer.forget_gaps()
        raise IntegrityError("what came of a layer is not what it must be", text)
    if done.returncode != 0:
        raise StoreError("a layer that is all here cannot be kept as one", text)


def main(arguments: list[str]) -> int:
    """Run one fetcher; return 0, or 1 where it could not do what it had to."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    config = FetcherConfig.from_json(arguments[0])
    prctl.set_name("rootless-fetch")
    os.set_blocking(config.news_fd, False)
    if config.log_path:
        logging.basicConfig(
            filename=config.log_path,
            level=logging.WARNING,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
    news = News(config.news_fd)
    try:
        trio.run(Fetcher(config, news).run)
    except BaseExceptionGroup as group:
        return _give_up(news, _first(group))
    except _FAULTS as error:
        return _give_up(news, error)
    return 0


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _give_up(news: News, error: BaseException) -> int:
    if not isinstance(error, _FAULTS):
        raise error
    if isinstance(error, OSError):
        error = StoreError(error.strerror or str(error), str(error.filename or ""))
    log.error("%s", error)
    news.send({"error": error.to_record()})
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
