"""Which stages a build needs, and of what; pure."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rootless.build.arguments import BuildArguments
from rootless.build.containerfile import Instruction
from rootless.build.expand import expand
from rootless.errors import BuildError, InvalidInput

SCRATCH = "scratch"
_NAME = re.compile(r"[a-z][a-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        index: Its number in the file, from 0.
        name: In lower case; "" without one.
        base: The image; "" for none, or where it is a stage.
        base_stage: The stage that it goes on from.
        instructions: Those after FROM.
        needs: Numbers of the stages that it is made of.
        platform: What `--platform` says.
        origin: Its FROM.
    """

    index: int
    name: str
    base: str
    base_stage: int | None
    instructions: tuple[Instruction, ...]
    needs: frozenset[int]
    platform: str
    origin: Instruction

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.origin.line

    @property
    def shown(self) -> str:
        """What people know it by: its name, or its number."""
        return self.name or str(self.index)


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be built.

    Attributes:
        stages: Those that the target needs and the target, each after what it needs.
        target: The stage that becomes the image.
        arguments: For their ARGs.
        images: Names of the images that are read: by FROM, `--from` and a mount's `from`.
        names: The stages of the whole file, by name.
    """

    stages: tuple[Stage, ...]
    target: Stage
    arguments: BuildArguments
    images: tuple[str, ...]
    names: Mapping[str, int] = field(default_factory=dict)

    def source(self, name: str, stage: Stage) -> int | str:
        """Return what `--from=NAME` means in a stage: a stage's number, or an image's name.

        Raises:
            InvalidInput: It is a stage that is not there, or not before this one.
        """
        number = _number(name, self.names, stage.index)
        if number is not None and number >= stage.index:
            raise InvalidInput("no stage before this one", name)
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
        BuildError: There is no such stage, a name is there twice or is none, or stages need each
            other in a circle.
    """
    given = dict(build_args or {})
    first = next((n for n, each in enumerate(instructions) if each.keyword == "FROM"), None)
    _check_beginning(instructions, first)
    outer = _outer(instructions[:first], given, platform_args or {})
    stages = _stages(instructions[first:], outer)
    names = {stage.name: stage.index for stage in stages if stage.name}
    _check_references(stages, names)
    stages = [_with_needs(stage, names) for stage in stages]
    chosen = _target(stages, target)
    wanted = _closure(stages, chosen.index)
    needed = tuple(stage for stage in stages if stage.index in wanted)
    images = dict.fromkeys(image for stage in needed for image in _images(stage, names))
    return Plan(needed, chosen, BuildArguments(given, outer), tuple(images), names)


def references(instruction: Instruction) -> Iterator[str]:
    """Yield what an instruction reads from, of stages and images; raises BuildError."""
    found: list[str] = []
    for name, value in instruction.flags:
        if name == "from":
            found.append(value)
        elif name == "mount":
            fields = (each.partition("=") for each in next(csv.reader([value]), ()))
            found += [text for key, _, text in fields if key.strip().lower() == "from"]
    for each in found:
        if "$" in each:
            fix = "name a stage so: FROM $IMAGE AS NAME"
            raise instruction.fault("no variable can say what is copied from", each, fix)
        yield each


def _check_beginning(instructions: Sequence[Instruction], first: int | None) -> None:
    before = instructions if first is None else instructions[:first]
    for each in before:
        if each.keyword != "ARG":
            raise each.fault(f"{each.keyword} before FROM", each.source, "only ARG can be there")
    if first is None:
        last = instructions[-1]
        raise last.fault("nothing to build", fix="there is no FROM IMAGE")


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
    try:
        return expand(text, variables, escape=instruction.escape)
    except InvalidInput as error:
        raise instruction.fault(error.what, error.on, error.fix) from error


def _stages(instructions: Sequence[Instruction], outer: Mapping[str, str]) -> list[Stage]:
    starts = [n for n, each in enumerate(instructions) if each.keyword == "FROM"]
    ends = [*starts[1:], len(instructions)]
    stages: list[Stage] = []
    for start, end in zip(starts, ends, strict=True):
        stages.append(_stage(instructions[start], instructions[start + 1 : end], outer, stages))
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
    of_names = {stage.name: stage.index for stage in before if stage.name}
    parent = None if image == SCRATCH else of_names.get(image.lower())
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


def _number(name: str, names: Mapping[str, int], count: int) -> int | None:
    """Return the number of the stage that a name means; None for an image."""
    if name.isascii() and name.isdigit():
        return min(int(name), count) if len(name) < 10 else count
    return names.get(name.lower())


def _uses(stage: Stage, names: Mapping[str, int]) -> Iterator[tuple[Instruction, str, int]]:
    for instruction in stage.instructions:
        for name in references(instruction):
            number = _number(name, names, 1 << 30)
            if number is not None:
                yield instruction, name, number


def _check_references(stages: Sequence[Stage], names: Mapping[str, int]) -> None:
    """Raise BuildError where a stage needs one that is not before it."""
    edges = {stage.index: {n for _, _, n in _uses(stage, names)} for stage in stages}
    for stage in stages:
        if stage.base_stage is not None:
            edges[stage.index].add(stage.base_stage)
        elif stage.base:
            edges[stage.index] |= _meant_later(stages, stage, names)
    for stage in stages:
        for number in _meant_later(stages, stage, names):
            _refuse_circle(stages, edges, stage, stage.origin, number)
        for instruction, name, number in _uses(stage, names):
            if number >= len(stages):
                fix = f"they are numbered from 0 to {len(stages) - 1}"
                raise instruction.fault("no such stage", name, fix)
            if number < stage.index:
                continue
            _refuse_circle(stages, edges, stage, instruction, number)
            fix = f"it begins in line {stages[number].line}: move it before this one"
            raise instruction.fault("this stage comes later", name, fix)


def _meant_later(stages: Sequence[Stage], stage: Stage, names: Mapping[str, int]) -> set[int]:
    """Return the later stage that a FROM names, which then is an image, or part of a circle.

    It surely is an image where that stage begins with an image of this very name.
    """
    number = None if not stage.base else names.get(stage.base.lower())
    if number is None or number <= stage.index or stages[number].base == stage.base:
        return set()
    return {number}


def _refuse_circle(
    stages: Sequence[Stage],
    edges: Mapping[int, set[int]],
    stage: Stage,
    instruction: Instruction,
    number: int,
) -> None:
    way = _way(edges, number, stage.index)
    if way:
        shown = " needs ".join(stages[each].shown for each in (stage.index, *way))
        raise instruction.fault("stages need each other in a circle", shown)


def _way(edges: Mapping[int, set[int]], start: int, end: int) -> list[int]:
    """Return a shortest way along the edges; empty for none."""
    came_from = {start: start}
    waiting = [start]
    for each in waiting:
        following = sorted(edges.get(each, set()) - came_from.keys())
        came_from |= dict.fromkeys(following, each)
        waiting += following
    if end not in came_from:
        return []
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]


def _with_needs(stage: Stage, names: Mapping[str, int]) -> Stage:
    base = () if stage.base_stage is None else (stage.base_stage,)
    needs = frozenset((*base, *(number for _, _, number in _uses(stage, names))))
    return replace(stage, needs=needs)


def _images(stage: Stage, names: Mapping[str, int]) -> Iterator[str]:
    if stage.base:
        yield stage.base
    for instruction in stage.instructions:
        for name in references(instruction):
            if _number(name, names, 1 << 30) is None:
                yield name


def _target(stages: Sequence[Stage], target: str) -> Stage:
    if not target:
        return stages[-1]
    for stage in stages:
        if target.lower() == stage.name or target == str(stage.index):
            return stage
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
