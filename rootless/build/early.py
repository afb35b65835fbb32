"""What is wrong with an instruction whatever its stage is: told before anything is built."""

from dataclasses import replace

from rootless.build.containerfile import Instruction
from rootless.build.state import StageState, apply, expanded

_VERBATIM = ("CMD", "ENTRYPOINT", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "SHELL")


def check_early(instruction: Instruction) -> None:
    """Raise BuildError where an instruction cannot be right; one with variables may be."""
    keyword = instruction.keyword
    texts = (*instruction.words, *(value for _, value in instruction.flags))
    if keyword == "RUN":
        texts = texts[len(instruction.words) :]
    if keyword not in _VERBATIM and any("$" in text for text in texts):
        return
    state = StageState((), {})
    if keyword in ("ADD", "COPY"):
        from rootless.build.copy_words import copy_words  # noqa: PLC0415 - where there is one

        as_it_is = tuple(replace(each, expand=False) for each in instruction.heredocs)
        copy_words(expanded(state, replace(instruction, heredocs=as_it_is)))
    elif keyword == "RUN":
        step = expanded(state, instruction)
        if step.flag("mount"):
            from rootless.build.run_mounts import run_mounts  # noqa: PLC0415 - where there is one

            run_mounts(step, "/")
    else:
        apply(state, instruction)
