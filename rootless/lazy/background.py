"""The rest of an image, while nothing is asked for: what runs have asked for first, then all.

Of several fetchers of a layer one does it: who has the layer's `blob` locked. One layer after the
other: the bytes that the record of earlier runs names, then those that are missing from the blob's
beginning to its end. A layer of which everything is there is handed on, to become an ordinary one.
"""

import fcntl
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from rootless.errors import IntegrityError, RegistryError
from rootless.lazy.fetch import Fetch
from rootless.lazy.layer import Layer
from rootless.lazy.pace import Pace
from rootless.lazy.ranges import Run

log = logging.getLogger(__name__)

_POLL_S = 1.0
_LONG_QUIET_S = 2.0
_LONGEST_PAUSE_S = 30.0
_STEP = 64 << 20  # so much may have to be fetched again after a power loss


@dataclass(slots=True)
class Background:
    """Fetches what nobody has asked for yet.

    Attributes:
        fetch: Gets it.
        pace: Says when.
        promote: Makes an ordinary layer of one that is whole; raises IntegrityError.
        tell: Takes the number of bytes that came.
        is_patient: A lost network is waited for; else it ends the work.
    """

    fetch: Fetch
    pace: Pace
    promote: Callable[[Layer], Awaitable[None]]
    tell: Callable[[int], None]
    is_patient: bool

    async def run(self, layers: Sequence[Layer]) -> None:
        """Fetch and promote layers; raises what keeps it from that, where it is not patient."""
        waiting = list(layers)
        while waiting:
            busy = [layer for layer in waiting if not await self._one(layer)]
            if len(busy) == len(waiting):
                await trio.sleep(_POLL_S)  # others are at work with all of them
            waiting = busy

    async def _one(self, layer: Layer) -> bool:
        """Fetch a layer unless another does; return whether there is nothing left to do here."""
        with _locked(layer) as is_ours:
            if not is_ours:
                return False
            if layer.is_gone():  # who had it locked before has made an ordinary one of it
                return True
            try:
                await self._fill(layer)
                if self.is_patient:  # of a short run every one would begin with it anew
                    await self.pace.quiet(_LONG_QUIET_S)
                await self.promote(layer)
            except (IntegrityError, OSError) as error:
                if layer.is_gone():
                    return True
                if not self.is_patient:
                    raise
                log.warning("a layer stays as it is, not all of it here: %s", error)
        return True

    async def _fill(self, layer: Layer) -> None:
        wrong: set[int] = set()

        def is_done(owner: int) -> bool:
            return layer.is_there(owner) or owner in wrong

        since_kept = 0
        for recorded in (True, False):
            begin = 0
            while run := self._next(layer, begin, is_done, recorded=recorded):
                wrong.update(await self._bring(layer, run))
                begin = 0 if recorded else run.start
                since_kept += run.end - run.start
                if since_kept >= _STEP:
                    await trio.to_thread.run_sync(layer.keep, abandon_on_cancel=True)
                    since_kept = 0
        await trio.to_thread.run_sync(layer.keep, abandon_on_cancel=True)
        if wrong:
            raise IntegrityError("wrong digest of a chunk", layer.describe(wrong))

    def _next(
        self, layer: Layer, begin: int, is_done: Callable[[int], bool], *, recorded: bool
    ) -> Run | None:
        if not recorded:
            return layer.blob_map.next_run(begin, self.pace.size, is_done)
        wanted = next((number for number in layer.order if not is_done(number)), None)
        if wanted is None:
            return None
        return layer.blob_map.runs_for([wanted], is_done, self.pace.size)[0]

    async def _bring(self, layer: Layer, run: Run) -> list[int]:
        pause_s = _POLL_S
        while True:
            await self.pace.quiet()
            began = trio.current_time()
            try:
                wrong = await self.fetch.bring(layer, run)
            except RegistryError:
                if not self.is_patient:
                    raise
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            self.pace.measure(run.end - run.start, trio.current_time() - began)
            self.tell(run.end - run.start)
            return wrong


@contextmanager
def _locked(layer: Layer) -> Iterator[bool]:
    try:
        fcntl.flock(layer.blob_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        fcntl.flock(layer.blob_fd, fcntl.LOCK_UN)
