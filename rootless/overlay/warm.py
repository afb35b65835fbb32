"""Lowers that are mounted already in the process that does the work, and which one fits a run.

As with a `spare` server there is one set a process: whoever is forked has it too.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from rootless.linux import mount_table
from rootless.overlay import spare
from rootless.overlay.shared import SharedLower
from rootless.userns.maps import Maps

_offered: dict[str, SharedLower] = {}
_noted: list[str] = []


def key_of(tree: Path, layers: tuple[Path, ...], maps: Maps) -> str:
    """Return what the key of a lower begins with: what it shows, and to whom; raises OSError.

    Its namespace has a copy of the host's mounts, so that is part of it where the copy grows old.
    """
    mounts = hash(mount_table.unpropagated(mount_table.read_own()))
    return repr((tree, os.stat(tree).st_ino, layers, maps, mounts))


def offer(lowers: Mapping[str, SharedLower]) -> None:
    """Have these used from now on, and no server started ahead."""
    _offered.update(lowers)
    spare.put_off()


def note(image: str) -> None:
    """Keep in mind an image that is to be mounted the next time."""
    _noted.append(image)


def noted() -> list[str]:
    """Return them, by what the user calls them."""
    return list(_noted)


def find(tree: Path, layers: tuple[Path, ...], maps: Maps) -> SharedLower | None:
    """Return one that shows this, whatever it is called; None where none does."""
    start = key_of(tree, layers, maps) if _offered else ""
    return next((each for key, each in _offered.items() if key.startswith(start)), None)
