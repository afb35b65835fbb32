"""Random operations on the `fuse` driver and on kernel overlayfs in lock step: the judge.

What is compared, and what may differ, is in docs/conformance.md. A failure shows the operations
that are left after shrinking: they go into test_found.py, as they stand.

ROOTLESS_LOCKSTEP_STEPS sets how many operations each test makes, from other seeds every time.
"""

import os
import random
from pathlib import Path

import pytest
from lockstep.bench import Bench, on_bench
from lockstep.differences import DIFFERENCES
from lockstep.explore import SEQUENCE, explore, shrink
from mounting import maps_for

STEPS_OF_A_CHECK = 2640
STEPS = int(os.environ.get("ROOTLESS_LOCKSTEP_STEPS", "0"))
PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"


@pytest.mark.needs_fuse
@pytest.mark.needs_user
@pytest.mark.slow
@pytest.mark.timeout(0 if STEPS else 300)
@pytest.mark.parametrize("medium", ["memory", "disk", "ephemeral"])
def test_random_operations(tmp_path: Path, id_map: str, medium: str) -> None:
    """Every operation has the same result, and leaves the same files, as on kernel overlayfs.

    An ephemeral upperdir does not have the whiteouts that it would need to be mounted again.
    """
    first = random.SystemRandom().randrange(10**9) if STEPS else 0
    count = -(-(STEPS or STEPS_OF_A_CHECK) // SEQUENCE)

    def body(bench: Bench) -> None:
        for seed in range(first, first + count):
            found = explore(bench, seed)
            if found is not None:
                raise AssertionError(f"seed {seed}: {shrink(bench, found)}")

    on_bench(
        tmp_path,
        maps_for(id_map),
        body,
        on_disk=medium == "disk",
        is_ephemeral=medium == "ephemeral",
    )


def test_the_documentation_has_the_differences() -> None:
    """docs/conformance.md lists what may differ, with the reasons, word for word."""
    text = PAGE.read_text()
    missing = [each for each in DIFFERENCES if f"| {each.what} | {each.why} |" not in text]
    assert not missing
