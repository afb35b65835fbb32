"""What the contents of files ask of a layer that is no plain tar, and what it says in its turn."""

import errno
from collections.abc import Callable, Sequence
from typing import Protocol

from .splice import Piece

Run = tuple[int, int]
"""A part of a layer's address space: offset, length."""


class Absent(OSError):
    """What a request needs is not there yet; EIO to whoever cannot wait for it.

    Attributes:
        layer: Number of the layer.
        chunks: The chunks that are missing, by address.
    """

    def __init__(self, layer: int, chunks: Sequence[Run]) -> None:
        super().__init__(errno.EIO, "not fetched yet")
        self.layer = layer
        self.chunks = chunks


OnAbsent = Callable[[Absent], None]
"""Brings what is absent and returns, or raises: `Absent` itself where it brings it later."""

OnFirst = Callable[[int, int, int], None]
"""Is told of what was there when it was first wanted: layer, offset, length."""


class LayerBytes(Protocol):
    """The bytes of one layer's address space. All methods raise OSError."""

    def require(self, runs: Sequence[Run]) -> None:
        """Return when these are there, or raise what `OnAbsent` raises."""

    def fill(self, target: memoryview, offset: int) -> None:
        """Read until a buffer is full."""

    def copy(self, offset: int, fd: int, target: int, length: int) -> None:
        """Copy a run to an offset of a file."""

    def piece(self, offset: int, size: int) -> Piece | None:
        """Return where a run lies in a file as it is; None where it does not."""

    def raw(self, offset: int, size: int) -> bytes:
        """Return a run that is there, shorter only at the end; asks nobody for what is not."""

    def note_use(self, offset: int, size: int) -> None:
        """Take note that a run is used, which is read by `raw` or not at all."""

    def close(self) -> None:
        """Close the files; harmless when repeated."""
