"""What a build shows on a terminal: a line for what is done, and below it what is at work.

As BuildKit has it: output is shown while its step runs, a few lines of each, and goes when that is
done; of one that failed all that was kept stays. Nothing is drawn by a thread: the build forks.
"""

import re
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rootless.build.events import Step
from rootless.cli.build_lines import title

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_SHOWN_LINES = 6
_KEPT_LINES = 1000
_LONGEST_LINE = 4096
_PATIENCE_S = 0.2  # what is done sooner is not drawn twice, and rich not imported for it
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.?")


@dataclass(slots=True)
class _Running:
    step: Step
    began: float = field(default_factory=time.monotonic)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    rest: bytes = b""

    def take(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.rest = self.rest[-_LONGEST_LINE:]
        self.lines.extend(map(plain, lines))

    def all_lines(self) -> list[str]:
        return [*self.lines, *([plain(self.rest)] if self.rest else [])]


class Screen:
    """Shows a build on a terminal."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._running: dict[int, _Running] = {}
        self._live: Live | None = None

    def begin(self, step: Step) -> None:
        """Show a step among what is at work."""
        self._running[step.number] = _Running(step)
        self._draw()

    def output(self, step: Step, data: bytes) -> None:
        """Keep it, and show its end with the next tick."""
        self._running[step.number].take(data)

    def cached(self, step: Step) -> None:
        """Move it to what is done."""
        self._end(step, "CACHED")

    def done(self, step: Step, seconds: float) -> None:
        """Move it to what is done."""
        self._end(step, f"{seconds:.1f}s")

    def failed(self, step: Step, seconds: float) -> None:
        """Move it there with all of its output that was kept."""
        running = self._running[step.number]
        self._end(step, f"ERROR after {seconds:.1f}s")
        lines = running.all_lines()
        if lines:
            self._print("\n".join(f"    {line}" for line in lines))

    def stopped(self, step: Step, seconds: float) -> None:
        """Move it to what is done."""
        self._end(step, f"STOPPED after {seconds:.1f}s")

    def warn(self, text: str) -> None:
        """Write it above what is at work."""
        self._print(f"rootless: warning: {plain(text.encode())}")

    def tick(self) -> None:
        """Draw again."""
        now = time.monotonic()
        if self._live is None and any(
            now - each.began > _PATIENCE_S for each in self._running.values()
        ):
            self._start()
        self._draw()

    def close(self) -> None:
        """Take away what is at work."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _start(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - where something takes time
        from rich.live import Live  # noqa: PLC0415

        console = Console(stderr=True, force_terminal=True)  # asked for, or seen to be one
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def _end(self, step: Step, word: str) -> None:
        del self._running[step.number]
        self._print(f" => {title(step)}  {word}")
        self._draw()

    def _print(self, line: str) -> None:
        if self._live is not None:
            self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(self._at_work(), refresh=True)

    def _at_work(self) -> "Text":
        from rich.text import Text  # noqa: PLC0415 - `_start` has it

        now = time.monotonic()
        shown = Text(f"[+] Building {now - self._began:.1f}s", overflow="ellipsis", no_wrap=True)
        for each in self._running.values():
            shown.append(f"\n => {now - each.began:.1f}s {title(each.step)}", style="bold")
            for line in each.all_lines()[-_SHOWN_LINES:]:
                shown.append(f"\n    {line}", style="dim")
        return shown


def plain(line: bytes) -> str:
    """Return a line without what would move the cursor; after a carriage return the last part."""
    text = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "backslashreplace")
    text = _CONTROL.sub("", text).expandtabs()
    return "".join(c if c.isprintable() else "?" for c in text)
