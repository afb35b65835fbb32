"""What a holder takes up, with all that it has forked: the image's server, a container in stock."""

import contextlib
import time
from pathlib import Path

from executable import Rootless
from holding import warm, with_all_it_forked

MOST_MIB = 40
"""Of all of them together, as the share of what is resident (PSS, proc_pid_smaps_rollup(5))."""

_IN_STOCK = [
    "rootless-fuse",
    "rootless-holder",
    "rootless-init",
    "rootless-stock",
    "rootless-stock",
]


def test_it_takes_less_than_40_mib(held: Rootless) -> None:
    """After some runs, with a container made for the next: what each takes is in the message."""
    for _ in range(3):
        warm(held)
        time.sleep(0.3)
    deadline = time.monotonic() + 30
    while True:
        names, sizes = _sizes(held)
        if names == _IN_STOCK:
            break
        assert time.monotonic() < deadline, f"no container comes into stock: {names}"
        time.sleep(0.05)
    total = sum(sizes) / 1024
    each = ", ".join(f"{name} {size / 1024:.1f}" for name, size in zip(names, sizes, strict=True))
    assert total < MOST_MIB, f"{total:.1f} MiB: {each}"


def _sizes(held: Rootless) -> tuple[list[str], list[int]]:
    """Return the names of the processes, sorted, and what each takes, in KiB."""
    found = []
    for pid, name in with_all_it_forked(held):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            found += [
                (name, int(line.split()[1])) for line in text.splitlines() if line[:4] == "Pss:"
            ]
    found.sort()
    return [name for name, _ in found], [size for _, size in found]
