"""What a program changes of itself, and what is done to the mounts."""

import os
from dataclasses import dataclass

from lockstep.operation import Operation
from lockstep.side import Side


@dataclass(frozen=True)
class Mask(Operation):
    """umask(2)."""

    mask: int

    def apply(self, side: Side) -> object:  # noqa: D102
        side.umask = self.mask
        return None


@dataclass(frozen=True)
class Become(Operation):
    """seteuid(2): another user makes what follows."""

    uid: int

    def apply(self, side: Side) -> object:  # noqa: D102
        os.seteuid(0)
        os.seteuid(self.uid)
        side.user = self.uid
        return None


# The overlay


@dataclass(frozen=True)
class Compare(Operation):
    """Compare the whole trees."""


@dataclass(frozen=True)
class Remount(Operation):
    """Unmount and mount both: what is on disk is all that stays."""


@dataclass(frozen=True)
class Exchange(Operation):
    """Remount, each over the upperdir that the other has written."""
