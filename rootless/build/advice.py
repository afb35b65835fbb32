"""What is allowed in a Containerfile, and hardly meant; pure.

Docker's own checks were read for what people do: `docker build --check`.
"""

import re
from collections.abc import Iterator, Sequence

from rootless.build.arguments import PREDEFINED
from rootless.build.containerfile import Instruction
from rootless.build.grammar import near
from rootless.build.references import names_of, references
from rootless.build.stages import Plan

_LAST_COUNTS = ("CMD", "ENTRYPOINT", "HEALTHCHECK")
_WORDS_OF_A_SHELL = ("CMD", "ENTRYPOINT", "HEALTHCHECK", "RUN")
_SECRETS = frozenset(("apikey", "password", "passwd", "passphrase", "secret", "token"))
_FREE_TO_GIVE = frozenset(("SOURCE_DATE_EPOCH", *PREDEFINED))


def advice(instructions: Sequence[Instruction], plan: Plan) -> tuple[str, ...]:
    """Return a line for each thing that is hardly meant, those of the file with their place.

    Args:
        instructions: The whole file.
        plan: What is built of it.
    """
    found: list[str] = []
    last: dict[str, Instruction] = {}
    names = list(names_of(plan.file))
    for each in instructions:
        if each.keyword == "FROM":
            last.clear()
        before = last.get(each.keyword)
        said = [*_about_form(each), *_about_secrets(each), *_about_names(each, names)]
        if before is not None:
            said.append(f"{each.keyword} replaces the one in line {before.line}")
        if each.keyword in _LAST_COUNTS:
            last[each.keyword] = each
        found += [f"{each.file}:{each.line}: {text}" for text in said]
    declared = {
        word.partition("=")[0]
        for each in (*instructions, *(one for stage in plan.file for one in stage.instructions))
        if each.keyword == "ARG"
        for word in each.words
    }
    unused = sorted(plan.arguments.given.keys() - declared - plan.arguments.outer.keys())
    found += [
        f"--build-arg {each}: no ARG of the file declares it"
        for each in unused
        if each not in _FREE_TO_GIVE
    ]
    return tuple(found)


def _about_form(instruction: Instruction) -> Iterator[str]:
    if instruction.keyword not in _WORDS_OF_A_SHELL or instruction.is_exec_form:
        return
    text = instruction.words[-1]
    if re.match(r"\[['\"]", text):
        yield "taken as words of a shell, as it is no JSON array (double quotes, commas, a bracket)"


def _about_secrets(instruction: Instruction) -> Iterator[str]:
    if instruction.keyword == "ENV":
        names: Sequence[str] = instruction.words[::2]
    elif instruction.keyword == "ARG":
        names = [word.partition("=")[0] for word in instruction.words]
    else:
        return
    for name in names:
        parts = re.split(r"[_-]", name.lower())
        if _SECRETS & {*parts, "".join(parts[-2:])} and "public" not in parts:
            keyword = instruction.keyword
            yield f"{keyword} {name} can be read in the image (--secret gives it to one RUN)"


def _about_names(instruction: Instruction, names: Sequence[str]) -> Iterator[str]:
    for name in references(instruction):
        meant = "" if name.lower() in names else near(name.lower(), names, cutoff=0.8)
        if meant:
            yield f"no stage is called {name}, so it is an image (did you mean {meant}?)"
