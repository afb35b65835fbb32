"""What a holder takes up, with all that it has forked: the image's server, a container in stock."""

import time
from pathlib import Path

from executable import Rootless
from holding import warm, with_all_it_forked

MOST_MIB = 38
"""Of what may be looked at, as the share of what is resident (PSS, proc_pid_smaps_rollup(5)).

34 were measured, where no other Python has pages in common. A container's first process may not
be looked at, by its user either: it takes 9 more, for a minute.
"""

_HIDDEN = "rootless-init"
_SHOWN = ["rootless-fuse", "rootless-holder", "rootless-stock"]


def test_what_a_holder_takes(held: Rootless) -> None:
    """After some runs, with a container made for the next: what each takes is in the message."""
    for _ in range(3):
        warm(held)
        time.sleep(0.3)
    deadline = time.monotonic() + 30
    while True:
        found = sorted((name, pid) for pid, name in with_all_it_forked(held))
        if [name for name, _ in found if name != _HIDDEN] == _SHOWN and len(found) > len(_SHOWN):
            break
        assert time.monotonic() < deadline, f"no container comes into stock: {found}"
        time.sleep(0.05)
    each = [(name, _pss(pid)) for name, pid in found if name != _HIDDEN]
    total = sum(size for _, size in each) / 1024
    shown = ", ".join(f"{name} {size / 1024:.1f}" for name, size in each)
    assert total < MOST_MIB, f"{total:.1f} MiB: {shown}"


def _pss(pid: int) -> int:
    """Return the share of a process, in KiB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
