"""What a FUSE server and its fetcher say to each other: records over a stream socket.

Little-endian, of a fixed size, in any order of answers. The server asks for a run of a layer's
address space, and is answered when every chunk of it is present, or cannot be had. A request with
the number 0 is no question: the run was there when it was first used, and is recorded.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_REQUEST = struct.Struct("<IIQQ")
_ANSWER = struct.Struct("<IIi4x")


@dataclass(frozen=True, slots=True)
class Request:
    """What the server asks for.

    Attributes:
        layer: Position of the layer in the server's list.
        number: The request's own, to be answered with.
        offset: Where in the layer's address space.
        length: How many bytes.
    """

    layer: int
    number: int
    offset: int
    length: int


class RequestReader:
    """Cuts a stream into requests."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Request]:
        """Yield the requests that are complete by now."""
        data = self._rest + data
        whole = len(data) - len(data) % _REQUEST.size
        self._rest = data[whole:]
        for fields in _REQUEST.iter_unpack(data[:whole]):
            yield Request(*fields)


def answer(request: Request, errno: int) -> bytes:
    """Return the answer to a request: 0, or an errno."""
    return _ANSWER.pack(request.layer, request.number, errno)
