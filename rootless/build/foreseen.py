"""What COPY and ADD take from the context is looked for before the first step runs.

A name that is not there would else be told when its step is due, an hour of compiling later. Every
variable is known without running anything: a RUN changes none. Stages and images that `--from`
names are not looked at, as they may not be there yet.
"""

from collections.abc import Mapping

from rootless.build.around import Around
from rootless.build.base import state_at_start
from rootless.build.containerfile import Instruction
from rootless.build.state import StageState, apply, expanded
from rootless.errors import InvalidInput, NotFound

_NO_METADATA = ("RUN", "COPY", "ADD")


def check_sources(around: Around, done: Mapping[int, int]) -> None:
    """Raise BuildError for the first source that is not in the context.

    Args:
        around: The plan, its stages in an order in which they can be built.
        done: Of stages that are begun how many instructions are done.
    """
    if any(word.startswith("volume=") for word in around.request.run_words):
        return  # by which a RUN may write into the context
    states: dict[int, StageState] = {}
    for stage in around.plan.stages:
        state = state_at_start(around, stage, states)
        for number, instruction in enumerate(stage.instructions):
            if instruction.keyword not in _NO_METADATA:
                state = apply(state, instruction)
            elif instruction.keyword != "RUN" and number >= done.get(stage.index, 0):
                _check(around, expanded(state, instruction))
        states[stage.index] = state


def _check(around: Around, instruction: Instruction) -> None:
    from rootless.build.copy_words import copy_words, is_address  # noqa: PLC0415 - where there is
    from rootless.build.ignore import Ignore  # noqa: PLC0415 - a COPY
    from rootless.build.selection import check  # noqa: PLC0415

    words = copy_words(instruction)
    excludes = Ignore.of(words.excludes)
    with instruction.blamed(InvalidInput, NotFound):
        source = around.source_of(instruction.flag("from"))
        if source is None:
            return
        for word in words.sources:
            if not is_address(word):
                check(source, word, excludes)
