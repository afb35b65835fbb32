"""A slow link in user space: bandwidth and delay for streams of trio, where there is no tc netem.

One `Link` is shared by all connections, each direction on its own: a piece of n bytes occupies the
link for n / bandwidth seconds, first come, first served, and arrives `delay` seconds later. Pieces
under way do not hold up each other. A new connection waits a round trip, as TCP's handshake does;
slow start and losses are not imitated.
"""

from dataclasses import dataclass, field

import trio

_PIECE = 16 << 10
_AHEAD_S = 0.02  # how far a sender may be ahead of the link: what a router would queue
_UNDER_WAY = 4096  # pieces


@dataclass(slots=True)
class _Direction:
    bandwidth: float
    free_at: float = 0.0

    def reserve(self, size: int) -> float:
        """Return when a piece has left the sender."""
        begin = max(trio.current_time(), self.free_at)
        self.free_at = begin + (size / self.bandwidth if self.bandwidth else 0.0)
        return self.free_at


@dataclass(slots=True)
class Link:
    """What all connections share; bytes a second (0: no limit) and seconds one way."""

    bandwidth: float = 0.0
    delay: float = 0.0
    down: _Direction = field(init=False)
    up: _Direction = field(init=False)

    def __post_init__(self) -> None:
        self.down, self.up = _Direction(self.bandwidth), _Direction(self.bandwidth)

    async def arrive(self) -> None:
        """Wait as long as a handshake takes."""
        await trio.sleep(2 * self.delay)

    def shaped(self, stream: trio.abc.Stream, nursery: trio.Nursery) -> trio.abc.Stream:
        """Return the far end of a stream; its tasks end when it is closed, or with the nursery."""
        if not self.bandwidth and not self.delay:
            return stream
        return _Shaped(stream, self, nursery)


class _Shaped(trio.abc.Stream):
    def __init__(self, stream: trio.abc.Stream, link: Link, nursery: trio.Nursery) -> None:
        self._stream = stream
        self._link = link
        self._to_send, self._sending = trio.open_memory_channel[tuple[float, bytes]](_UNDER_WAY)
        self._received, self._to_receive = trio.open_memory_channel[tuple[float, bytes]](_UNDER_WAY)
        self._rest = b""
        self._done = trio.Event()
        nursery.start_soon(self._send)
        nursery.start_soon(self._receive)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        for start in range(0, len(data), _PIECE):
            piece = bytes(data[start : start + _PIECE])
            left = self._link.down.reserve(len(piece))
            await trio.sleep_until(max(trio.current_time(), left - _AHEAD_S))
            await self._to_send.send((left + self._link.delay, piece))

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if not self._rest:
            try:
                arrives, self._rest = await self._to_receive.receive()
            except trio.EndOfChannel:
                return b""
            await trio.sleep_until(max(trio.current_time(), arrives))
        size = max_bytes or len(self._rest)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    async def aclose(self) -> None:
        """Close when everything that was sent has arrived."""
        self._to_send.close()
        await self._done.wait()
        await self._stream.aclose()

    async def _send(self) -> None:
        try:
            async for arrives, piece in self._sending:
                await trio.sleep_until(max(trio.current_time(), arrives))
                await self._stream.send_all(piece)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._sending.close()
        finally:
            self._done.set()

    async def _receive(self) -> None:
        try:
            while data := await self._stream.receive_some(_PIECE):
                left = self._link.up.reserve(len(data))
                await trio.sleep_until(max(trio.current_time(), left - _AHEAD_S))
                await self._received.send((left + self._link.delay, data))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client has gone: its end of what it sent
        finally:
            self._received.close()
