"""Progress bars on a terminal, on stderr; nothing at all elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from rootless.image.progress import Progress

_UPDATE_S = 0.05


@contextmanager
def shown(*, quiet: bool) -> Iterator["Progress | None"]:
    """Give a progress that shows itself, None where nobody would see it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for rich
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TransferSpeedColumn,
    )

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        yield Bars(bars)


class Bars:
    """One bar a layer."""

    def __init__(self, bars: "RichProgress") -> None:
        self._bars = bars
        self._task: TaskID | None = None
        self._pending = 0
        self._shown_at = 0.0

    def layer(self, name: str, total: int | None) -> None:
        """Begin a layer's bar; the one before is complete."""
        self._show()
        self._task = self._bars.add_task(f"layer {_short(name)}", total=total)

    def advance(self, n: int) -> None:
        """Gather bytes; rich is told some twenty times a second, since every call takes a lock."""
        self._pending += n
        now = time.monotonic()
        if now - self._shown_at >= _UPDATE_S:
            self._shown_at = now
            self._show()

    def _show(self) -> None:
        if self._task is not None:
            self._bars.advance(self._task, self._pending)
        self._pending = 0


def _short(name: str) -> str:
    """Return the recognizable part of a blob's name; it is from outside, so printable only."""
    stem = name.removesuffix(".tar").removesuffix("/layer").rpartition("/")[2]
    return "".join(c if c.isprintable() else "?" for c in stem[:12])
