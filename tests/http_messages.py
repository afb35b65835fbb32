"""HTTP/1.1 messages (RFC 9112) out of a stream of trio, taken apart as far as a proxy has to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import trio

PIECE = 64 << 10
_MAX_HEAD = 64 << 10


@dataclass(slots=True)
class Head:
    """First line and fields of a message; names in lower case, the order is kept."""

    first: str
    fields: dict[str, str]

    def to_bytes(self) -> bytes:
        """Return it as it is on the wire."""
        lines = [self.first, *(f"{name}: {value}" for name, value in self.fields.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Reader:
    """Messages out of a stream."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._buffer = b""

    async def head(self) -> Head | None:
        """Return the next head, None at the end."""
        while b"\r\n\r\n" not in self._buffer:
            assert len(self._buffer) < _MAX_HEAD
            if not await self._more() or self._buffer.startswith(b"\x16"):  # TLS, to a plain port
                return None
        text, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = text.decode("latin-1").split("\r\n")
        fields: dict[str, str] = {}
        for name, _, value in (line.partition(":") for line in lines):
            known = fields.get(name.lower())  # a list may come in several lines: Accept
            fields[name.lower()] = value.strip() if known is None else f"{known}, {value.strip()}"
        return Head(first, fields)

    async def body(self, head: Head, *, to_end: bool) -> AsyncIterator[bytes]:
        """Yield a message's body as it is on the wire, framing included."""
        if "chunked" in head.fields.get("transfer-encoding", ""):
            size = -1
            while size:
                line = await self._line()
                size = int(line.split(b";")[0], 16)
                yield line
                async for piece in self._exactly(size + 2):
                    yield piece
        elif "content-length" in head.fields:
            async for piece in self._exactly(int(head.fields["content-length"])):
                yield piece
        elif to_end:
            while self._buffer or await self._more():
                data, self._buffer = self._buffer, b""
                yield data

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size and (self._buffer or await self._more()):
            data, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(data)
            yield data

    async def _line(self) -> bytes:
        while b"\r\n" not in self._buffer and await self._more():
            pass
        line, end, self._buffer = self._buffer.partition(b"\r\n")
        return line + end

    async def _more(self) -> bool:
        data = await self._stream.receive_some(PIECE)
        self._buffer += data
        return bool(data)
