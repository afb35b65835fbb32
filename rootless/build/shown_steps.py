"""Which instructions are told as steps, and how they are counted."""

import time
from dataclasses import dataclass, field

from rootless.build.containerfile import Instruction
from rootless.build.events import Events, Step
from rootless.build.stage import Stage

TOLD = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})  # the others take no time


@dataclass(slots=True)
class _AtWork:
    step: Step
    began: float = field(default_factory=time.monotonic)


class ShownSteps:
    """Tells the steps of all stages, one at a time of each stage.

    Args:
        events: Who is told.
        is_one: There is one stage, which needs no name.
    """

    def __init__(self, events: Events, *, is_one: bool) -> None:
        self.events = events
        self._is_one = is_one
        self._count = 0
        self._at_work: dict[int, _AtWork] = {}

    def begin_base(self, stage: Stage) -> None:
        """Tell that a stage begins."""
        self._begin(stage, 1, stage.origin)

    def begin(self, stage: Stage, number: int) -> None:
        """Tell that an instruction of a stage is due."""
        instruction = stage.instructions[number]
        if instruction.keyword in TOLD:
            before = sum(each.keyword in TOLD for each in stage.instructions[:number])
            self._begin(stage, 2 + before, instruction)

    def output(self, stage: Stage, data: bytes) -> None:
        """Tell what a stage's command says."""
        if stage.index in self._at_work:
            self.events.output(self._at_work[stage.index].step, data)

    def done(self, stage: Stage, *, cached: bool = False) -> None:
        """Tell that what was begun is done."""
        ended = self._at_work.pop(stage.index, None)
        if ended is None:
            return
        if cached:
            self.events.cached(ended.step)
        else:
            self.events.done(ended.step, time.monotonic() - ended.began)

    def failed(self, stage: Stage) -> None:
        """Tell that what was begun failed."""
        ended = self._at_work.pop(stage.index, None)
        if ended is not None:
            self.events.failed(ended.step, time.monotonic() - ended.began)

    def stop(self) -> None:
        """Tell of all that was begun that it is stopped."""
        for ended in self._at_work.values():
            self.events.stopped(ended.step, time.monotonic() - ended.began)
        self._at_work = {}

    def _begin(self, stage: Stage, position: int, instruction: Instruction) -> None:
        self._count += 1
        of = 1 + sum(each.keyword in TOLD for each in stage.instructions)
        name = "" if self._is_one else stage.shown
        step = Step(self._count, name, position, of, instruction.source, instruction.line)
        self._at_work[stage.index] = _AtWork(step)
        self.events.begin(step)
