"""What a FUSE server asks for, over its socket: each request a task, answered when it is done."""

import contextlib
import errno
import logging
from collections.abc import Mapping

import trio

from rootless.errors import RootlessError
from rootless.lazy.fetch import Fetch
from rootless.lazy.layer import Layer
from rootless.lazy.pace import Pace
from rootless.lazy.requests import Request, RequestReader, answer

log = logging.getLogger(__name__)

_PIECE = 64 << 10


class Demand:
    """Serves one FUSE server.

    Args:
        stream: Its socket.
        layers: The lazy layers, by their positions in its list.
        fetch: Gets what is missing.
        pace: Learns that something is asked for.
    """

    def __init__(
        self, stream: trio.SocketStream, layers: Mapping[int, Layer], fetch: Fetch, pace: Pace
    ) -> None:
        self._stream = stream
        self._layers = layers
        self._fetch = fetch
        self._pace = pace
        self._sending = trio.Lock()

    async def serve(self) -> None:
        """Serve until the server has gone; what is under way then is dropped."""
        reader = RequestReader()
        async with trio.open_nursery() as nursery:
            while data := await self._receive():
                for request in reader.feed(data):
                    if request.number == 0:
                        self._note(request)
                    else:
                        nursery.start_soon(self._handle, request)
            nursery.cancel_scope.cancel()

    def _note(self, request: Request) -> None:
        """Record what was there when it was first used."""
        layer = self._layers.get(request.layer)
        if layer is not None:
            with contextlib.suppress(OSError):
                layer.order.note(layer.numbers(request.offset, request.length))

    async def _receive(self) -> bytes:
        try:
            return bytes(await self._stream.receive_some(_PIECE))
        except trio.BrokenResourceError:
            return b""

    async def _handle(self, request: Request) -> None:
        with self._pace.demand():
            number = await self._result(request)
        try:
            async with self._sending:
                await self._stream.send_all(answer(request, number))
        except trio.BrokenResourceError:
            log.debug("the server has gone")

    async def _result(self, request: Request) -> int:
        """Get what a request is for; return 0, or the errno that its reader gets."""
        layer = self._layers.get(request.layer)
        if layer is None:
            log.error("the server asks for layer %d, which is not lazy", request.layer)
            return errno.EIO
        try:
            numbers = layer.numbers(request.offset, request.length)
            layer.order.note(numbers)
            await self._fetch.ensure(layer, numbers)
        except RootlessError as error:
            log.info("%s", error)
            return errno.EIO
        except OSError as error:
            log.warning("files of the image cannot be kept: %s", error.strerror or error)
            return error.errno or errno.EIO
        return 0
