"""The stages of a build, each begun when those that it stands on are done."""

import select
from importlib import import_module
from typing import TYPE_CHECKING

from rootless.build.around import Around
from rootless.build.base import begun
from rootless.build.events import Events
from rootless.build.shown_steps import ShownSteps
from rootless.build.stage import Stage
from rootless.build.stage_run import StageRun

if TYPE_CHECKING:
    from rootless.build.worker import Worker
    from rootless.linux.channel import Message

_TICK_MS = 100


class SideBySide:
    """Builds the stages of a plan, side by side.

    Args:
        around: The plan, and what its steps have around them.
        events: Who is told.
    """

    def __init__(self, around: Around, events: Events) -> None:
        plan = around.plan
        self._around = around
        self._waiting = list(plan.stages)
        self._target = plan.target.index
        self._shown = ShownSteps(events, is_one=len(plan.stages) == 1)
        self._runs: dict[int, StageRun] = {}
        self._workers: dict[int, Worker] = {}
        self._is_checked = False

    def run(self) -> StageRun:
        """Build them all; return the target. Raises what is wrong with any, and stops the rest."""
        try:
            self._begin_ready()
            if self._workers:
                self._import_ahead()
            while self._workers:
                self._serve()
                self._begin_ready()
        except BaseException:
            self._stop()
            raise
        return self._runs[self._target]

    def _begin_ready(self) -> None:
        """Begin what stands on nothing that is not done."""
        while len(self._workers) < self._around.request.jobs:
            stage = next((s for s in self._waiting if s.needs <= self._around.stages.keys()), None)
            if stage is None:
                return
            self._waiting.remove(stage)
            try:
                self._begin(stage)
            except BaseException:
                self._shown.failed(stage)
                raise

    def _begin(self, stage: Stage) -> None:
        """Go on as far as the cache goes; a worker has the rest, if there is any."""
        self._shown.begin_base(stage)
        run = self._runs[stage.index] = begun(self._around, stage, self._runs)
        self._shown.done(stage)

        def tell(number: int) -> None:
            self._shown.begin(stage, number)
            self._shown.done(stage, cached=True)

        run.take_cached(tell)
        if run.is_done:
            self._around.stages[stage.index] = run.state
            return
        if any(each.keyword == "RUN" for each in stage.instructions[run.next :]):
            from rootless.overlay import spare  # noqa: PLC0415 - first, as it starts beside all else

            spare.prepare_for_many()
            import_module("rootless.build.running")  # once, for all workers
        from rootless.build.worker import Worker  # noqa: PLC0415 - not where all is cached

        if not self._is_checked:
            self._is_checked = True
            from rootless.build.foreseen import check_sources  # noqa: PLC0415

            check_sources(self._around, {n: each.next for n, each in self._runs.items()})
        self._workers[stage.index] = Worker(run.work)

    def _import_ahead(self) -> None:
        """Import what is going to be wanted while the first workers work: what is forked has it."""
        ahead = ["rootless.build.kept_image", "rootless.image.gc"]
        if any(each.keyword == "RUN" for stage in self._waiting for each in stage.instructions):
            ahead.append("rootless.build.running")
        for name in ahead:
            import_module(name)

    def _serve(self) -> None:
        """Take what workers tell, for a moment."""
        poll = select.poll()
        by_fd = {worker.fileno(): index for index, worker in self._workers.items()}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(_TICK_MS):
            self._receive(self._runs[by_fd[fd]])
        self._shown.events.tick()

    def _receive(self, run: StageRun) -> None:
        stage = run.stage
        try:
            message = self._workers[stage.index].receive()
        except BaseException:
            self._shown.failed(stage)
            raise
        if message is None:
            del self._workers[stage.index]
            self._around.stages[stage.index] = run.state
        else:
            self._take(run, message)

    def _take(self, run: StageRun, message: "Message") -> None:
        if "begin" in message:
            self._shown.begin(run.stage, message["begin"])
        elif "output" in message:
            self._shown.output(run.stage, message["output"].encode("latin-1"))
        else:
            run.repeat(message)
            self._shown.done(run.stage, cached=message["cached"])

    def _stop(self) -> None:
        """End what is at work."""
        self._shown.stop()
        if self._workers:
            from rootless.build.worker import Worker  # noqa: PLC0415 - there is one

            Worker.stop(list(self._workers.values()))
            self._workers = {}
