"""Getting chunks of a lazy layer: asked for once, checked, and put away.

Whoever wants a chunk that another task is getting waits for that. A run of bytes with a chunk whose
digest is wrong is asked for once more, elsewhere where there is an elsewhere.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import trio

from rootless.errors import IntegrityError
from rootless.lazy.layer import Layer
from rootless.lazy.ranges import Run
from rootless.lazy.remote import Remote

log = logging.getLogger(__name__)

_AT_ONCE = 8
_SMALL = 256 << 10  # decoded at once; more than that in a thread, beside which others go on
_AHEAD_FIRST = 256 << 10  # what a link of 100 Mbit/s carries in a round trip of 20 ms
_AHEAD_MOST = 4 << 20


@dataclass(slots=True)
class _State:
    """What is going on with one layer.

    Attributes:
        coming: Chunks that a task is getting.
        ahead: How many bytes are fetched behind what is asked for.
        last_end: Where in the blob the last demand ended, with what was fetched ahead.
    """

    coming: dict[int, trio.Event] = field(default_factory=dict)
    ahead: int = _AHEAD_FIRST
    last_end: int = -1


class Fetch:
    """Gets chunks out of registries.

    Args:
        remote: Where from.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._slots = trio.CapacityLimiter(_AT_ONCE)
        self._states: dict[Layer, _State] = {}

    async def ensure(self, layer: Layer, numbers: Sequence[int]) -> None:
        """Return when chunks are there.

        Raises:
            RegistryError: They cannot be had for now.
            IntegrityError: What was got is wrong.
            OSError: It cannot be written.
        """
        state = self._states.setdefault(layer, _State())
        while absent := layer.absent(numbers):
            ours = [number for number in absent if number not in state.coming]
            if ours:
                await self._get(layer, state, ours)
            else:
                await state.coming[absent[0]].wait()

    async def bring(self, layer: Layer, run: Run) -> list[int]:
        """Get a run of a blob, what is wrong once more; return the chunks that stay wrong."""
        bad: list[int] = []
        for attempt in range(2):
            data = await self._remote.read(layer.source, run, skip=attempt)
            if len(data) > _SMALL:
                take = partial(layer.take, run, data)
                bad = await trio.to_thread.run_sync(take, abandon_on_cancel=True)
            else:
                bad = layer.take(run, data)
            if not bad:
                break
            log.error("wrong digest of a chunk: %s", layer.describe(bad))
        return bad

    async def _get(self, layer: Layer, state: _State, numbers: Sequence[int]) -> None:
        runs = layer.blob_map.runs_for(numbers, layer.is_there, self._ahead(layer, state, numbers))
        state.last_end = runs[-1].end
        done = trio.Event()
        coming = [
            part.owner
            for run in runs
            for part in layer.blob_map.inside(run)
            if part.owner >= 0 and part.owner not in state.coming
        ]
        state.coming.update(dict.fromkeys(coming, done))
        bad: list[int] = []
        try:
            if len(runs) == 1:
                bad = await self._one(layer, runs[0])
            else:
                bad = await self._all(layer, runs)
        finally:
            for number in coming:
                del state.coming[number]
            done.set()
        if wrong := set(bad).intersection(numbers):
            raise IntegrityError("wrong digest of a chunk", layer.describe(wrong))

    async def _one(self, layer: Layer, run: Run) -> list[int]:
        async with self._slots:
            return await self.bring(layer, run)

    async def _all(self, layer: Layer, runs: Iterable[Run]) -> list[int]:
        bad: list[int] = []
        failures: list[Exception] = []

        async def one(run: Run) -> None:
            try:
                bad.extend(await self._one(layer, run))
            except Exception as error:  # noqa: BLE001 - the others are finished first
                failures.append(error)

        async with trio.open_nursery() as nursery:
            for run in runs:
                nursery.start_soon(one, run)
        if failures:
            raise failures[0]
        return bad

    def _ahead(self, layer: Layer, state: _State, numbers: Sequence[int]) -> int:
        """Return how far to read ahead: further where a demand goes on behind the last one."""
        first = min(layer.blob_map.runs_for(numbers, layer.is_there)).start
        goes_on = 0 <= first - state.last_end <= _AHEAD_FIRST
        state.ahead = min(state.ahead * 2, _AHEAD_MOST) if goes_on else _AHEAD_FIRST
        return state.ahead
