"""Which stages a build needs, and of what; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rootless.build.arguments import BuildArguments
from rootless.build.containerfile import Instruction, parse_triggers
from rootless.build.early import check_early
from rootless.build.expand import expand
from rootless.build.references import check, names_of, number_of, references, uses
from rootless.build.stage import Stage
from rootless.errors import BuildError, InvalidInput

SCRATCH = "scratch"
_NAME = re.compile(r"[a-z][a-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be built.

    Attributes:
        stages: Those that the target needs and the target, each after what it needs.
        target: The stage that becomes the image.
        arguments: For their ARGs.
        images: Names of the images that are read: by FROM, `--from` and a mount's `from`.
        file: Every stage of the file, by number.
    """

    stages: tuple[Stage, ...]
    target: Stage
    arguments: BuildArguments
    images: tuple[str, ...]
    file: tuple[Stage, ...]

    def source(self, name: str) -> int | str:
        """Return what `--from=NAME` means: the number of a stage, or the name of an image."""
        number = number_of(name, names_of(self.file))
        return name if number is None else number


def plan(
    instructions: Sequence[Instruction],
    target: str = "",
    build_args: Mapping[str, str] | None = None,
    platform_args: Mapping[str, str] | None = None,
) -> Plan:
    """Return what has to be built.

    Args:
        instructions: The whole file.
        target: A stage's name or number; "" for the last.
        build_args: What `--build-arg` gives.
        platform_args: What the platforms give.

    Raises:
        BuildError: There is no such stage, a name is there twice or is none, or a stage needs one
            that comes later, or itself.
    """
    given = dict(build_args or {})
    first = _first_stage(instructions)
    outer = _outer(instructions[:first], given, platform_args or {})
    stages = _stages(instructions[first:], outer)
    return _planned(stages, _target(stages, target), BuildArguments(given, outer))


def with_triggers(plan: Plan, of_images: Mapping[str, Sequence[str]]) -> Plan:
    """Return a plan whose stages begin with what ONBUILD has put off in the images below them.

    A trigger may read from a stage that nothing else needs, or from an image. What ONBUILD puts off
    in the file itself is in every plan.

    Args:
        plan: What has to be built; it has nothing of these images yet.
        of_images: What the config of each image has in `OnBuild`, by the image's name.

    Raises:
        BuildError: A trigger is wrong, or reads from a stage that it cannot have.
    """
    stages = [_begun(each, of_images.get(each.base, ()), each.base) for each in plan.file]
    return _planned(stages, plan.target.index, plan.arguments)


def _begun(stage: Stage, triggers: Sequence[str], below: str) -> Stage:
    begun = parse_triggers(triggers, below)
    return replace(stage, instructions=(*begun, *stage.instructions)) if begun else stage


def _put_off(stage: Stage) -> tuple[str, ...]:
    """Return what a stage has for those that go on from it."""
    own = (each for each in stage.instructions if each.keyword == "ONBUILD")
    return tuple(word for each in own for word in each.words)


def _planned(found: Sequence[Stage], target: int, arguments: BuildArguments) -> Plan:
    check(found)
    names = names_of(found)
    stages = [_with_needs(stage, names) for stage in found]
    wanted = _closure(stages, target)
    for stage in stages:
        for instruction in stage.instructions:
            check_early(instruction)
    needed = tuple(stage for stage in stages if stage.index in wanted)
    images = dict.fromkeys(image for stage in needed for image in _images(stage, names))
    return Plan(needed, stages[target], arguments, tuple(images), tuple(stages))


def _first_stage(instructions: Sequence[Instruction]) -> int:
    """Return where the first FROM is; raises BuildError where more than ARG comes before it."""
    for number, each in enumerate(instructions):
        if each.keyword == "FROM":
            return number
        if each.keyword != "ARG":
            raise each.fault(f"{each.keyword} before FROM", each.source, "only ARG can be there")
    raise instructions[-1].fault("nothing to build", fix="there is no FROM IMAGE")


def _outer(
    instructions: Sequence[Instruction], given: Mapping[str, str], platform: Mapping[str, str]
) -> dict[str, str]:
    """Return the values of the ARGs before the first FROM, each of which sees those before it."""
    outer = {name: given.get(name, value) for name, value in platform.items()}
    for instruction in instructions:
        for word in instruction.words:
            name, equals, default = word.partition("=")
            if name in given:
                outer[name] = given[name]
            elif equals:
                outer[name] = _expanded(instruction, default, outer)
    return outer


def _expanded(instruction: Instruction, text: str, variables: Mapping[str, str]) -> str:
    with instruction.blamed(InvalidInput):
        return expand(text, variables, escape=instruction.escape)


def _stages(instructions: Sequence[Instruction], outer: Mapping[str, str]) -> list[Stage]:
    starts = [n for n, each in enumerate(instructions) if each.keyword == "FROM"]
    ends = [*starts[1:], len(instructions)]
    stages: list[Stage] = []
    for start, end in zip(starts, ends, strict=True):
        stage = _stage(instructions[start], instructions[start + 1 : end], outer, stages)
        if stage.base_stage is not None:
            parent = stages[stage.base_stage]
            stage = _begun(stage, _put_off(parent), parent.shown)
        stages.append(stage)
    return stages


def _stage(
    origin: Instruction,
    instructions: Sequence[Instruction],
    outer: Mapping[str, str],
    before: Sequence[Stage],
) -> Stage:
    base, *rest = origin.words
    name = ""
    if rest:
        if len(rest) != 2 or rest[0].upper() != "AS":
            raise origin.fault("too much after FROM", " ".join(rest), "FROM IMAGE [AS NAME]")
        name = rest[1].lower()
        if not _NAME.fullmatch(name):
            fix = "a letter, then letters, digits, _ . -"
            raise origin.fault("not a name of a stage", rest[1], fix)
    twice = next((stage for stage in before if name and stage.name == name), None)
    if twice is not None:
        what = f"two stages have one name, the other in line {twice.line}"
        raise origin.fault(what, name, "names are the same in upper and lower case")
    image = _expanded(origin, base, outer)
    if not image:
        fix = f"ARG before the first FROM declares it; --build-arg {base.strip('${}')}=…"
        raise origin.fault("FROM an empty name", base, fix)
    parent = None if image == SCRATCH else names_of(before).get(image.lower())
    return Stage(
        index=len(before),
        name=name,
        base="" if image == SCRATCH or parent is not None else image,
        base_stage=parent,
        instructions=tuple(instructions),
        needs=frozenset(),
        platform=_expanded(origin, origin.flag("platform"), outer),
        origin=origin,
    )


def _with_needs(stage: Stage, names: Mapping[str, int]) -> Stage:
    base = () if stage.base_stage is None else (stage.base_stage,)
    needs = frozenset((*base, *(number for _, _, number in uses(stage, names))))
    return replace(stage, needs=needs)


def _images(stage: Stage, names: Mapping[str, int]) -> Iterator[str]:
    if stage.base:
        yield stage.base
    for instruction in stage.instructions:
        for name in references(instruction):
            if number_of(name, names) is None:
                yield name


def _target(stages: Sequence[Stage], target: str) -> int:
    if not target:
        return len(stages) - 1
    for stage in stages:
        if target.lower() == stage.name or target == str(stage.index):
            return stage.index
    there = ", ".join(stage.shown for stage in stages)
    name = stages[0].origin.file
    raise BuildError(f"{name}: no such stage", target, f"there are {there}")


def _closure(stages: Sequence[Stage], index: int) -> set[int]:
    wanted: set[int] = set()
    waiting = [index]
    while waiting:
        number = waiting.pop()
        if number not in wanted:
            wanted.add(number)
            waiting += stages[number].needs
    return wanted
