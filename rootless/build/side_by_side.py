"""The stages of a build, each begun when those that it stands on are done."""

import select
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rootless.build.around import Around
from rootless.build.base import base_of
from rootless.build.events import Events, Step
from rootless.build.stage_run import SHOWN, StageRun
from rootless.build.stages import Plan, Stage
from rootless.errors import RootlessError

if TYPE_CHECKING:
    from rootless.build.worker import Worker
    from rootless.linux.channel import Message

_TICK_MS = 100


@dataclass(slots=True)
class _Begun:
    """A stage that has begun.

    Attributes:
        run: What it has come to.
        worker: Who goes on with it; None while, or when, nobody has to.
        step: What is at work and shown.
        began: When that began.
    """

    run: StageRun
    worker: "Worker | None" = None
    step: Step | None = None
    began: float = field(default_factory=time.monotonic)


class SideBySide:
    """Builds the stages of a plan.

    Args:
        plan: The stages.
        around: What their steps have around them.
        events: Who is told.
    """

    def __init__(self, plan: Plan, around: Around, events: Events) -> None:
        self._around = around
        self._events = events
        self._waiting = list(plan.stages)
        self._target = plan.target.index
        self._named = len(plan.stages) > 1
        self._begun: dict[int, _Begun] = {}
        self._steps = 0

    def run(self) -> StageRun:
        """Build them all; return the target. Raises what is wrong with any, and stops the rest."""
        try:
            while self._target not in self._around.stages:
                self._begin_ready()
                self._serve()
        except BaseException:
            self._stop()
            raise
        return self._begun[self._target].run

    def _begin_ready(self) -> None:
        """Begin what stands on nothing that is not done; one that is all cached is done at once."""
        done = self._around.stages
        ready = True
        while ready:
            at_work = sum(each.worker is not None for each in self._begun.values())
            jobs = self._around.request.jobs
            ready = [s for s in self._waiting if s.needs <= done.keys()] if at_work < jobs else []
            for stage in ready[:1]:
                self._waiting.remove(stage)
                self._begin(stage)

    def _begin(self, stage: Stage) -> None:
        run = base_of(self._around, stage, lambda text: None)
        begun = self._begun[stage.index] = _Begun(run)
        self._tell_base(begun)
        run.take_cached(lambda number: self._tell_cached(begun, number))
        if run.is_done:
            self._around.stages[stage.index] = run.state
            return
        from rootless.build.worker import Worker  # noqa: PLC0415 - not where all is cached

        begun.worker = Worker(run.work)

    def _serve(self) -> None:
        """Take what workers tell, for a moment."""
        poll = select.poll()
        by_fd = {}
        for begun in self._begun.values():
            if begun.worker is not None:
                by_fd[begun.worker.fileno()] = begun
                poll.register(begun.worker.fileno(), select.POLLIN)
        if not by_fd:
            return
        for fd, _ in poll.poll(_TICK_MS):
            self._receive(by_fd[fd])
        self._events.tick()

    def _receive(self, begun: _Begun) -> None:
        assert begun.worker is not None  # noqa: S101 - polled for being there
        try:
            message = begun.worker.receive()
        except RootlessError:
            if begun.step is not None:
                self._events.failed(begun.step, time.monotonic() - begun.began)
                begun.step = None
            raise
        if message is None:
            begun.worker = None
            self._around.stages[begun.run.stage.index] = begun.run.state
        elif "begin" in message:
            begun.began = time.monotonic()
            begun.step = self._step_of(begun, message["begin"])
            if begun.step is not None:
                self._events.begin(begun.step)
        elif "output" in message:
            if begun.step is not None:
                self._events.output(begun.step, message["output"].encode("latin-1"))
        else:
            self._on_done(begun, message)

    def _on_done(self, begun: _Begun, message: "Message") -> None:
        begun.run.repeat(message)
        step, begun.step = begun.step, None
        if step is None:
            return
        if message["cached"]:
            self._events.cached(step)
        else:
            self._events.done(step, message["seconds"])

    def _tell_base(self, begun: _Begun) -> None:
        step = self._step(begun, 1, f"FROM {begun.run.stage.base or 'scratch'}", begun.run.stage.line)
        self._events.begin(step)
        self._events.done(step, 0.0)

    def _tell_cached(self, begun: _Begun, number: int) -> None:
        step = self._step_of(begun, number)
        if step is not None:
            self._events.begin(step)
            self._events.cached(step)

    def _step_of(self, begun: _Begun, number: int) -> Step | None:
        """Return an instruction as it is shown; None for one that is not."""
        run = begun.run
        instruction = run.instructions[number]
        if instruction.keyword not in SHOWN:
            return None
        position = 2 + sum(each.keyword in SHOWN for each in run.instructions[:number])
        return self._step(begun, position, instruction.source, instruction.line)

    def _step(self, begun: _Begun, position: int, text: str, line: int) -> Step:
        self._steps += 1
        run = begun.run
        of = 1 + sum(each.keyword in SHOWN for each in run.instructions)
        name = run.stage.shown if self._named else ""
        return Step(self._steps, name, position, of, text, line)

    def _stop(self) -> None:
        """End what is at work."""
        workers = []
        for begun in self._begun.values():
            if begun.step is not None:
                self._events.stopped(begun.step, time.monotonic() - begun.began)
                begun.step = None
            if begun.worker is not None:
                workers.append(begun.worker)
                begun.worker = None
        if workers:
            from rootless.build.worker import Worker  # noqa: PLC0415 - there is one

            Worker.stop(workers)
