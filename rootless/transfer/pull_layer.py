"""One layer out of a registry: downloaded into `partial/`, and read on its way into the store.

The network task appends, a thread follows: decompression, digests, tar and index are a single pass
over what comes, and what an earlier download left is read first. The layer gets its name as soon as
it is verified, whatever becomes of the rest of the image.

Of several processes that want a layer one has its lock and downloads; the others look on, and take
what has been made.
"""

import random
from contextlib import closing
from dataclasses import dataclass, field

import trio

from rootless.errors import IntegrityError
from rootless.image import lock, partial
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.partial import AbandonedError, Partial
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, hex_of
from rootless.registry.repository import Repository
from rootless.transfer import tasks
from rootless.transfer.made_layers import MadeLayers
from rootless.transfer.progress import Meter, State

_POLL_S = 0.05
_MOST_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class LayerPull:
    """What the layers of one image have in common.

    Attributes:
        store: Where to.
        transaction: Keeps what has no name yet from being collected.
        repository: Where from.
        keeps_source: What comes as gzip is kept as well, with seek points.
        name: What that is called, which is remembered for pushes; "" for nothing.
    """

    store: Store
    transaction: Transaction
    repository: Repository
    keeps_source: bool = False
    name: str = ""

    async def take(self, descriptor: Descriptor, diff_id: Digest, meter: Meter) -> None:
        """Bring a layer into the store, or wait for the process that does.

        Raises:
            IntegrityError: It is not what it must be; nothing of it was kept.
            RegistryError: It did not come; what came is kept for the next time.
            StoreError: The store cannot take it.
        """
        lock_path = self.store.lock_path(f"layer-{hex_of(diff_id)}")
        poll_s = _POLL_S
        while not self.store.has_layer(diff_id):
            with lock.exclusive_if_free(lock_path) as is_ours:
                if is_ours and self.store.has_layer(diff_id):
                    break
                if is_ours and await self._download(descriptor, diff_id, meter):
                    return
            meter.enter(State.WAITING, partial.size_so_far(self.store, descriptor.digest))
            await trio.sleep(random.uniform(0.5, 1) * poll_s)  # noqa: S311 - no secret
            poll_s = min(poll_s * 1.5, _MOST_POLL_S)
        partial.drop(self.store, descriptor.digest)
        meter.enter(State.PRESENT, descriptor.size)

    async def _download(self, descriptor: Descriptor, diff_id: Digest, meter: Meter) -> bool:
        """Download and commit; False where another process writes this very blob."""
        download = Partial.open(self.store, descriptor.digest, descriptor.size)
        if download is None:
            return False
        with download, closing(await self._whole(download, descriptor, diff_id, meter)) as staged:
            await trio.to_thread.run_sync(self.transaction.commit_layer, staged)
            if staged.points is not None:
                commit = self.transaction.commit_source
                await trio.to_thread.run_sync(commit, staged, download.path)
            else:
                download.remove()
        if self.name:
            memory = MadeLayers(self.store)
            await trio.to_thread.run_sync(memory.remember_came, diff_id, descriptor, self.name)
        meter.enter(State.DONE, descriptor.size)
        return True

    async def _whole(
        self, download: Partial, descriptor: Descriptor, diff_id: Digest, meter: Meter
    ) -> StagedLayer:
        """Return the verified layer; damage may lie in what was left by an earlier download."""
        while True:
            goes_on = download.size > 0
            try:
                return await self._stage(download, descriptor, diff_id, meter)
            except IntegrityError:
                download.clear()
                if not goes_on:
                    raise

    async def _stage(
        self, download: Partial, descriptor: Descriptor, diff_id: Digest, meter: Meter
    ) -> StagedLayer:
        meter.enter(State.DOWNLOADING, download.size)
        expected = Expected(descriptor.digest, descriptor.size, diff_id)
        reading = _Reading(self.store, download, expected, has_points=self.keeps_source)
        try:
            with tasks.one_error():
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(reading.run)
                    await self._feed(reading, descriptor, meter)
            return reading.staged[0]
        except BaseException:
            for staged in reading.staged:
                staged.close()
            raise

    async def _feed(self, reading: "_Reading", descriptor: Descriptor, meter: Meter) -> None:
        """Bring the blob to the thread that reads it, and wait until it has."""
        try:
            await self._fetch(reading.download, descriptor, meter)
            reading.download.end()
            meter.enter(State.INDEXING)
            await reading.has_ended.wait()
        except BaseException:  # else the thread would wait for ever
            reading.download.abandon()
            raise

    async def _fetch(self, download: Partial, descriptor: Descriptor, meter: Meter) -> None:
        if download.size == descriptor.size:
            return
        async with self.repository.blob(descriptor, download.size) as body:
            have = download.size - body.offset  # more than 0 where the server begins anew
            async for chunk in body:
                new = chunk[have:] if have > 0 else chunk
                have -= len(chunk)
                if download.size + len(new) > descriptor.size:
                    fix = f"the manifest says {descriptor.size} bytes, more are coming"
                    raise IntegrityError("wrong size", descriptor.digest, fix)
                if new:
                    download.append(new)
                    meter.advance(len(new))
        if download.size != descriptor.size:
            fix = f"the manifest says {descriptor.size} bytes, {download.size} came"
            raise IntegrityError("wrong size", descriptor.digest, fix)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The thread that follows a download."""

    store: Store
    download: Partial
    expected: Expected
    has_points: bool
    staged: list[StagedLayer] = field(default_factory=list)
    has_ended: trio.Event = field(default_factory=trio.Event)

    async def run(self) -> None:
        """Ingest what comes; the layer is in `staged` then."""
        try:
            self.staged.append(await trio.to_thread.run_sync(self._ingest))
        except AbandonedError:
            return  # the network task has the cause
        finally:
            self.has_ended.set()

    def _ingest(self) -> StagedLayer:
        what = str(self.expected.digest)
        raw = self.download.follow()
        return ingest(self.store, raw, what, self.expected, has_points=self.has_points)
