"""One stage, step by step: looked up where it was done before, else done and kept.

What is in the cache is taken in the process of the build. From the first step on that is not there
a worker goes on (`build.worker`), and the build repeats what that tells on its own copy of the
stage, so that other stages can stand on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootless.build.around import Around
from rootless.build.prepared import Prepared
from rootless.build.preparing import prepare, stepped
from rootless.build.stage import Stage
from rootless.build.state import StageState
from rootless.image import build_cache
from rootless.image.build_cache import KeptStep
from rootless.oci.digest import Digest, parse_digest

if TYPE_CHECKING:
    from rootless.build.worker import Teller
    from rootless.image.ingest import StagedLayer
    from rootless.image.store import Store
    from rootless.linux.channel import Message


@dataclass(slots=True)
class StageRun:
    """A stage while it is built.

    Attributes:
        around: What it has around it.
        stage: The stage.
        state: What it has come to.
        base_layers: How many of the layers are those of an image.
        next: Index of the instruction that is due.
        prepared: What that would do, where it is known already.
    """

    around: Around
    stage: Stage
    state: StageState
    base_layers: int
    next: int = 0
    prepared: Prepared | None = None

    @property
    def is_done(self) -> bool:
        """Tell whether no instruction is left."""
        return self.next == len(self.stage.instructions)

    def take_cached(self, on_step: Callable[[int], None]) -> None:
        """Go on as far as the cache has the steps; raises what is wrong with one of them.

        Args:
            on_step: Is told the index of each instruction that is taken.
        """
        while not self.is_done:
            prepared = self._prepare()
            kept = self._look_up(prepared)
            if kept is None and prepared.makes_layer:
                return
            if kept is None:
                kept = self._keep(prepared, None)
            number = self.next
            self._step(kept)
            on_step(number)

    def work(self, tell: "Teller") -> None:
        """Do the steps that are left; what happens is told, and raised."""
        while not self.is_done:
            number = self.next
            tell({"begin": number})
            prepared = self._prepare()
            kept = self._look_up(prepared)
            is_cached = kept is not None
            if kept is None:
                kept = self._keep(prepared, self._made(prepared, tell))
            self._step(kept)
            tell(
                {
                    "done": number,
                    "cached": is_cached,
                    "diff_id": kept.diff_id,
                    "created": kept.created,
                    "content": kept.content,
                }
            )

    def repeat(self, message: "Message") -> None:
        """Take a step that a worker has done."""
        diff_id = message["diff_id"]
        layer = None if diff_id is None else parse_digest(diff_id)
        self._step(KeptStep(layer, message["created"], message["content"]))

    def _prepare(self) -> Prepared:
        if self.prepared is None:
            instruction = self.stage.instructions[self.next]
            self.prepared = prepare(self.around, self.state, instruction)
        return self.prepared

    def _made(self, prepared: Prepared, tell: "Teller") -> Digest | None:
        layer = prepared.make(lambda data: tell({"output": data}))
        return None if layer is None else keep_layer(self.around.store, layer)

    def _look_up(self, prepared: Prepared) -> KeptStep | None:
        if self.around.request.no_cache:
            return None
        missed: list[Digest] = []
        for key in prepared.found_by():
            kept = build_cache.look_up(self.around.store, key)
            if kept is not None:
                for each in missed:
                    build_cache.keep(self.around.store, each, kept)
                return kept
            missed.append(key)
        return None

    def _keep(self, prepared: Prepared, diff_id: Digest | None) -> KeptStep:
        kept = KeptStep(diff_id, self.around.now(), prepared.content())
        for key in prepared.found_by():
            build_cache.keep(self.around.store, key, kept)
        return kept

    def _step(self, kept: KeptStep) -> None:
        created = self.around.time_of(kept.created)
        self.state = stepped(self.state, self.stage.instructions[self.next], kept, created)
        self.prepared = None
        self.next += 1


def keep_layer(store: "Store", layer: "StagedLayer") -> Digest:
    """Give a step's layer its place in the store, whatever becomes of the build."""
    from rootless.image.transaction import Transaction  # noqa: PLC0415 - not where all is cached

    with Transaction(store) as transaction:
        transaction.lock_layers([layer.diff_id])
        if transaction.has_layer(layer.diff_id):
            layer.close()
        else:
            transaction.commit_layer(layer)
    return layer.diff_id
