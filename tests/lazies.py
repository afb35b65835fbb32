"""Lazy layers made from tars, and a stand-in for the registries that have their blobs.

The stand-in is for faults that a real registry does not make; tests/lazy has the real thing.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path

import images
import trio

from rootless.chunked.estargz import write_estargz
from rootless.chunked.place import find_toc
from rootless.chunked.plan import plan_layer
from rootless.chunked.read import read_toc
from rootless.chunked.zstd_chunked import write_zstd_chunked
from rootless.errors import RegistryError
from rootless.image.store import Store
from rootless.lazy.ranges import Run
from rootless.lazy.source import Origin, Source
from rootless.lazy.stage import source_of, stage
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest

WRITERS = {"estargz": write_estargz, "zstd-chunked": write_zstd_chunked}
ORIGIN = Origin("registry.example/some/image")


@dataclass
class Made:
    """A layer's blob, as a registry has it.

    Attributes:
        data: The blob.
        descriptor: Its descriptor.
        diff_id: The digest of the tar.
        tar: The tar.
    """

    data: bytes
    descriptor: Descriptor
    diff_id: Digest
    tar: bytes

    async def read_range(self, offset: int, length: int) -> bytes:
        """Read as a registry does."""
        await trio.lowlevel.checkpoint()
        return self.data[offset : offset + length]

    def staged(self, store: Store) -> Path:
        """Stage the layer; return its folder."""
        place = find_toc(self.descriptor.media_type, self.descriptor.annotations)
        assert place is not None
        toc = trio.run(read_toc, place, len(self.data), self.read_range)
        plan = plan_layer(toc)
        return stage(store, self.diff_id, source_of(self.descriptor, ORIGIN, toc, plan), plan)


def made(layer: images.Layer, kind: str = "estargz") -> Made:
    """Compress a layer so that it has a table of contents."""
    out = io.BytesIO()
    tar = layer.tar()
    written = WRITERS[kind](io.BytesIO(tar), out)
    descriptor = Descriptor(written.media_type, written.digest, written.size, written.annotations)
    plain = written.diff_id
    if plain == images.digest(tar):
        return Made(out.getvalue(), descriptor, plain, tar)
    return Made(out.getvalue(), descriptor, plain, b"")


@dataclass
class Remote:
    """Gives bytes of one blob, with faults where asked for.

    Attributes:
        blob: The blob.
        is_down: Nothing can be had.
        wrong: How many of the next answers have a byte that is wrong, at `wrong_at`.
        wrong_at: Where.
        asked: What was asked for.
        gate: Answers wait for it.
    """

    blob: bytes
    is_down: bool = False
    wrong: int = 0
    wrong_at: int = -1
    asked: list[Run] = field(default_factory=list)
    gate: trio.Event | None = None

    async def read(self, source: Source, run: Run, skip: int = 0) -> bytes:
        """Return bytes, as `rootless.lazy.remote.Remote` does."""
        del source, skip
        self.asked.append(run)
        await trio.lowlevel.checkpoint()
        if self.gate is not None:
            await self.gate.wait()
        if self.is_down:
            raise RegistryError("no answer", "registry.example")
        data = bytearray(self.blob[run.start : run.end])
        if self.wrong and run.start <= self.wrong_at < run.end:
            self.wrong -= 1
            data[self.wrong_at - run.start] ^= 0xFF
        return bytes(data)
