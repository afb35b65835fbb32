"""Finds a sequence of operations that tells our mount from kernel overlayfs, and makes it short."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockstep.bench import Bench
from lockstep.generator import Generator
from lockstep.operations import Operation
from lockstep.pair import Pair

IMAGES = 16
SEQUENCE = 80
_LOOK_AFTER = 6
_SHRINK_FOR = 60.0


@dataclass(frozen=True)
class Found:
    """A difference, and how to see it again.

    Attributes:
        image: Number of the image.
        looks: Whether objects are compared after every operation.
        operations: What leads to it.
        error: What differs.
    """

    image: int
    looks: bool
    operations: tuple[Operation, ...]
    error: Exception

    def __str__(self) -> str:
        lines = [f"{self.error}", f"image={self.image}, looks={self.looks}, operations=("]
        return "\n".join([*lines, *(f"    do.{each!r}," for each in self.operations), ")"])


def explore(bench: Bench, seed: int) -> Found | None:
    """Make one sequence's operations; returns what it found, as it was found."""
    source = random.Random(seed)
    image, looks = source.randrange(IMAGES), source.random() < 0.6
    pair = bench.pair(image, looks=looks)
    try:
        for operation in drawn(pair, source, single_id=bench.maps.single):
            pair.step(operation)
        pair.finish()
    except (AssertionError, OSError) as error:
        return Found(image, looks, tuple(pair.done), error)
    finally:
        pair.close()
    return None


def drawn(pair: Pair, source: random.Random, *, single_id: bool) -> Iterator[Operation]:
    """Yield a sequence of operations, each drawn when those before it are done."""
    generator = Generator(source, single_id=single_id)
    for number in range(SEQUENCE):
        if number % _LOOK_AFTER == 0:
            paths = pair.known()
        generator.know(paths, sorted(pair.judge.fds))
        yield generator.operation()


def repeat(bench: Bench, found: Found, operations: Sequence[Operation]) -> Found | None:
    """Make given operations on a fresh pair; returns what that finds."""
    pair = bench.pair(found.image, looks=found.looks)
    try:
        pair.run(operations)
    except (AssertionError, OSError) as error:
        return Found(found.image, found.looks, tuple(pair.done), error)
    return None


def shrink(bench: Bench, found: Found, seconds: float = _SHRINK_FOR) -> Found:
    """Leave out whatever is not needed for any difference, in ever smaller pieces."""
    deadline = time.monotonic() + seconds
    size = max(1, len(found.operations) // 2)
    while size:
        place, is_shorter = 0, False
        while place < len(found.operations) and time.monotonic() < deadline:
            rest = found.operations[:place] + found.operations[place + size :]
            again = repeat(bench, found, rest)
            if again is None or len(again.operations) >= len(found.operations):
                place += size  # the end of a repetition is a comparison, which may be what was cut
            else:
                found, is_shorter = again, True
        if size > 1 or not is_shorter:
            size //= 2
    return found
