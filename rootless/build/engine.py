"""From a plan to an image: stages are built side by side, and the last one's image is kept.

The process of the build looks up what was done before, and gathers what workers tell of the rest;
it does no step itself, so that Ctrl-C is answered at once. What a step made stays, whatever becomes
of the build.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from rootless.build.around import Around
from rootless.build.base import with_bases
from rootless.build.events import Events
from rootless.build.image import BuiltImage, config_of, keep_image
from rootless.build.shown_steps import TOLD
from rootless.build.side_by_side import SideBySide
from rootless.build.stages import Plan
from rootless.image import lock

_ENDING = (signal.SIGTERM, signal.SIGHUP)


def build(around: Around, events: Events) -> BuiltImage:
    """Build what was asked for, and keep the image; all of it or nothing.

    Args:
        around: The plan, and what its steps have around them.
        events: Who is told.

    Raises:
        BuildError: A step failed, or cannot be done.
        RootlessError: The store cannot take it, or a base is not to be had.
    """
    store, request = around.store, around.request
    # No collection takes what is found in the cache, nor a layer that no image has yet.
    with lock.shared(store.lock_path(lock.STORE_LOCK)), _ended_by_signals():
        around.plan = with_bases(around, around.plan)
        last = SideBySide(around, events).run()
        state = last.state
        if request.squash or request.squash_all:
            from rootless.build.squash import squashed  # noqa: PLC0415 - asked for

            state = squashed(last)
        built = keep_image(store, config_of(state.config, state.diff_ids, request), request)
    if built.is_new and _made_trees(around.plan):
        from rootless.image import gc  # noqa: PLC0415 - not where all is there

        gc.collect(store, 0.0)  # the trees of its steps; where another one builds, they wait
    return built


def _made_trees(plan: Plan) -> bool:
    """Tell whether steps may have made trees that the image has no use for."""
    steps = [step for stage in plan.stages for step in stage.instructions if step.keyword in TOLD]
    return len(plan.stages) > 1 or len(steps) > 1


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let signals that end a process end the build with its clean-up; nohup(1) stays in force."""
    before = {
        number: signal.signal(number, _end)
        for number in _ENDING
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: object) -> NoReturn:
    del frame
    raise SystemExit(128 + number)
