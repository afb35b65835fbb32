"""What the overlay is to reach, and whether it did."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# row of a table -> contender -> median
Medians = Mapping[str, Mapping[str, float]]

# What must be "no slower" than a peer may differ by noise.
_NOISE = 0.95
ENTRIES = "many entries"
WRITTEN = "1 layer, written to"
_MEMORY = f"{ENTRIES}: server memory, peak (MiB)"


@dataclass(frozen=True, slots=True)
class Target:
    """One contender in one row is to be at least `factor` times as fast as a peer.

    Without a peer the value itself is to stay below the factor.
    """

    row: str
    contender: str
    peer: str
    factor: float


def _against_c(row: str, fuse: float, hybrid: float) -> tuple[Target, Target]:
    return (
        Target(row, "fuse", "fuse-overlayfs", fuse),
        Target(row, "hybrid", "fuse-overlayfs", hybrid),
    )


def _writing(row: str) -> tuple[Target, ...]:
    return (
        *_against_c(row, 1 / 2, 1),
        Target(row, "hybrid", "overlayfs", 1 / 1.2),
    )


TARGETS: tuple[Target, ...] = (
    *_against_c("1 layer: walk, cold", 2.5, 2),
    *_against_c("40 layers: walk, cold", 6, 5),
    *_against_c("1 layer: read all, cold", 1.3, 1.2),
    *_against_c("1 layer: read all, warm", 1, 1),
    Target("1 layer: read all, warm", "hybrid", "overlayfs", 1 / 2),
    *_against_c("large files: sequential read, cold", _NOISE, _NOISE),
    *_against_c("large files: sequential read, warm", _NOISE, _NOISE),
    *_writing(f"{WRITTEN}: create small files"),
    *_writing(f"{WRITTEN}: untar"),
    *_against_c(f"{ENTRIES}: rm -rf", 5, 20),
    Target(_MEMORY, "fuse", "", 80),
    Target(_MEMORY, "hybrid", "", 80),
)


def judge(medians: Medians) -> Iterator[tuple[str, str, str]]:
    """Yield target, what was measured, and `reached` or `missed`, of all that was measured."""
    for target in TARGETS:
        row = medians.get(target.row, {})
        if target.contender not in row or (target.peer and target.peer not in row):
            continue
        own = row[target.contender]
        where = f"{target.row}: {target.contender}"
        if not target.peer:
            reached = own < target.factor
            yield f"{where} < {target.factor:g}", f"{own:.1f}", _verdict(reached)
            continue
        ratio = row[target.peer] / own
        wanted = f"{where} >= {target.factor:.2g}x {target.peer}"
        yield wanted, f"{ratio:.2f}x", _verdict(ratio >= target.factor)


def _verdict(reached: bool) -> str:  # noqa: FBT001 - what it says
    return "reached" if reached else "**missed**"
