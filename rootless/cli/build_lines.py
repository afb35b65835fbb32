"""What a build shows where nothing moves: lines on stderr, as BuildKit's plain ones.

#2 [build 2/5] RUN make
#2 0.5 cc -c main.c
#2 DONE 1.2s
"""

import sys
import time
from dataclasses import dataclass, field

from rootless.build.events import Step
from rootless.cli.exit import print_line

_LONGEST_LINE = 1 << 16  # a longer one comes in pieces: it would be copied with all that follows


@dataclass(slots=True)
class _Running:
    began: float = field(default_factory=time.monotonic)
    rest: bytes = b""


class Lines:
    """Writes a line for each thing that happens."""

    def __init__(self) -> None:
        self._running: dict[int, _Running] = {}

    def begin(self, step: Step) -> None:
        """Say what begins."""
        self._running[step.number] = _Running()
        self._write(step, title(step))

    def output(self, step: Step, data: bytes) -> None:
        """Write whole lines; one that has not ended waits, as long as it is none of a flood."""
        running = self._running[step.number]
        *lines, running.rest = (running.rest + data).split(b"\n")
        if len(running.rest) > _LONGEST_LINE:
            lines.append(running.rest)
            running.rest = b""
        self._write_output(step, running, lines)

    def cached(self, step: Step) -> None:
        """Say so."""
        self._end(step, "CACHED")

    def done(self, step: Step, seconds: float) -> None:
        """Say so."""
        self._end(step, f"DONE {seconds:.1f}s")

    def failed(self, step: Step, seconds: float) -> None:
        """Say so."""
        self._end(step, f"ERROR after {seconds:.1f}s")

    def stopped(self, step: Step, seconds: float) -> None:
        """Say so."""
        self._end(step, f"STOPPED after {seconds:.1f}s")

    def warn(self, text: str) -> None:
        """Write it."""
        print_line(f"warning: {text}")

    def tick(self) -> None:
        """Do nothing: lines do not change."""

    def close(self) -> None:
        """Do nothing."""

    def _end(self, step: Step, word: str) -> None:
        running = self._running.pop(step.number)
        if running.rest:
            self._write_output(step, running, [running.rest])
        self._write(step, word)

    def _write_output(self, step: Step, running: _Running, lines: list[bytes]) -> None:
        seconds = time.monotonic() - running.began
        texts = (line.rstrip(b"\r").decode("utf-8", "backslashreplace") for line in lines)
        self._write(step, *(f"{seconds:.1f} {text}" for text in texts))

    def _write(self, step: Step, *texts: str) -> None:
        sys.stderr.write("".join(f"#{step.number} {text}\n" for text in texts))
        sys.stderr.flush()


def title(step: Step) -> str:
    """Return what a step is, with its place in the stage."""
    stage = f"{step.stage} " if step.stage else ""
    return f"[{stage}{step.position}/{step.of}] {step.text}"
