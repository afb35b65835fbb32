"""What the stages of a Containerfile read from each other; pure."""

from collections.abc import Iterator, Mapping, Sequence

from rootless.build.containerfile import Instruction
from rootless.build.stage import Stage

_MOST_DIGITS = 9


def references(instruction: Instruction) -> Iterator[str]:
    """Yield what an instruction reads from, of stages and images; raises BuildError."""
    found: list[str] = []
    for name, value in instruction.flags:
        if name == "from":
            found.append(value)
        elif name == "mount":
            found += _from_of(value)
    for each in found:
        if "$" in each:
            fix = "name a stage so: FROM $IMAGE AS NAME"
            raise instruction.fault("no variable can say what is copied from", each, fix)
        yield each


def _from_of(mount: str) -> list[str]:
    import csv  # noqa: PLC0415 - many files have no mount

    fields = (each.partition("=") for each in next(csv.reader([mount]), ()))
    return [text for key, _, text in fields if key.strip().lower() == "from"]


def number_of(name: str, names: Mapping[str, int]) -> int | None:
    """Return the number of the stage that a name means; None for an image."""
    if name.isascii() and name.isdigit():
        return int(name[:_MOST_DIGITS])
    return names.get(name.lower())


def names_of(stages: Sequence[Stage]) -> dict[str, int]:
    """Return the numbers of the stages that have a name."""
    return {stage.name: stage.index for stage in stages if stage.name}


def uses(stage: Stage, names: Mapping[str, int]) -> Iterator[tuple[Instruction, str, int]]:
    """Yield where a stage reads from another, by which name, and that one's number."""
    for instruction in stage.instructions:
        for name in references(instruction):
            number = number_of(name, names)
            if number is not None:
                yield instruction, name, number


def check(stages: Sequence[Stage]) -> None:
    """Raise BuildError where a stage needs one that is not before it."""
    names = names_of(stages)
    edges = {stage.index: {n for _, _, n in uses(stage, names)} for stage in stages}
    for stage in stages:
        if stage.base_stage is not None:
            edges[stage.index].add(stage.base_stage)
        elif stage.base:
            edges[stage.index] |= _meant_later(stages, stage, names)
    for stage in stages:
        for number in _meant_later(stages, stage, names):
            _refuse_circle(stages, edges, stage, stage.origin, number)
        for instruction, name, number in uses(stage, names):
            if number >= len(stages):
                fix = f"they are numbered from 0 to {len(stages) - 1}"
                raise instruction.fault("no such stage", name, fix)
            if number < stage.index:
                continue
            if number == stage.index:
                raise instruction.fault("a stage cannot read from itself", name)
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
