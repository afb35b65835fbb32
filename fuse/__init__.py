"""An overlay file system over folders and tar layers, served by pyfuse3 and trio.

`fuse.mount` mounts a stack of layers from Python; `rootless-overlay` does from a shell. Knows
nothing of the package `rootless`; inside, imports are relative (see docs/decisions/0001).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .mounting import Mounted as Mounted
    from .mounting import mount as mount

__all__ = ["Mounted", "mount"]


def __getattr__(name: str) -> object:
    """Import what mounts when it is asked for: whoever only reads an index does without trio."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import mounting  # noqa: PLC0415

    return getattr(mounting, name)
