"""An operation: a plain frozen value, which does the same on either side.

`apply(side)` makes the system calls and returns what a program would see, for comparison; an error
is raised as OSError. The repr of an operation is the Python that makes it.
"""

import ctypes
import os
from dataclasses import dataclass, fields

from lockstep.side import Side


@dataclass(frozen=True)
class Operation:
    """What all have: the paths and slots that they name are looked at afterwards."""

    def apply(self, side: Side) -> object:
        """Do it."""
        raise NotImplementedError

    def paths(self) -> list[str]:
        """Return the paths that it names, and the directories that those are in."""
        named = [getattr(self, f.name) for f in fields(self) if f.name in ("path", "old", "new")]
        return [*named, *(path.rpartition("/")[0] for path in named if "/" in path)]

    def slots(self) -> list[int]:
        """Return the slots that it names."""
        return [getattr(self, f.name) for f in fields(self) if f.name in ("slot", "source")]


def check(result: int) -> None:
    """Raise the OSError of a C function that returned a failure."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
