"""ID maps of a user namespace (user_namespaces(7)): pure translation, no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mapping:
    """One line of uid_map: `length` IDs from `inside` are those from `outside`."""

    inside: int
    outside: int
    length: int


@dataclass(frozen=True, slots=True)
class IDMap:
    """All lines of a uid_map or gid_map."""

    mappings: tuple[Mapping, ...]

    def to_inside(self, outside: int) -> int | None:
        """Return the ID that the namespace's processes see; None where it is not mapped."""
        for line in self.mappings:
            if line.outside <= outside < line.outside + line.length:
                return line.inside + outside - line.outside
        return None

    def to_outside(self, inside: int) -> int | None:
        """Return the ID of the parent namespace; None where it is not mapped."""
        for line in self.mappings:
            if line.inside <= inside < line.inside + line.length:
                return line.outside + inside - line.inside
        return None

    def inside_ranges(self) -> tuple[tuple[int, int], ...]:
        """Return the mapped IDs as (first, length)."""
        return tuple((line.inside, line.length) for line in self.mappings)

    @property
    def size(self) -> int:
        """Return how many IDs are mapped."""
        return sum(line.length for line in self.mappings)

    def to_procfs(self) -> str:
        """Return the text for /proc/PID/uid_map."""
        return "".join(f"{m.inside} {m.outside} {m.length}\n" for m in self.mappings)


def sequential(outside: Iterable[tuple[int, int]], first_inside: int = 0) -> list[Mapping]:
    """Lay ranges (first, length) one after the other from `first_inside` on."""
    mappings = []
    for first, length in outside:
        mappings.append(Mapping(first_inside, first, length))
        first_inside += length
    return mappings


def overlaps(mappings: Iterable[Mapping]) -> bool:
    """Tell whether two lines share an ID on either side, which the kernel refuses."""
    lines = list(mappings)
    for position, one in enumerate(lines):
        for other in lines[position + 1 :]:
            for a, b in ((one.inside, other.inside), (one.outside, other.outside)):
                if a < b + other.length and b < a + one.length:
                    return True
    return False
