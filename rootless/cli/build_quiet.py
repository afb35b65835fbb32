"""A build that shows nothing, `-q`, but what a step that failed had to say."""

import sys

from rootless.build.events import Silent, Step

_KEPT_LINES = 50
_KEPT_BYTES = 1 << 16


class Quiet(Silent):
    """Keeps the end of what each step at work says, and writes it to stderr if that fails."""

    def __init__(self) -> None:
        self._ends: dict[int, bytes] = {}

    def begin(self, step: Step) -> None:
        """Keep what it is going to say."""
        self._ends[step.number] = b""

    def output(self, step: Step, data: bytes) -> None:
        """Keep the end of it."""
        self._ends[step.number] = (self._ends[step.number] + data)[-_KEPT_BYTES:]

    def cached(self, step: Step) -> None:
        """Forget it."""
        del self._ends[step.number]

    def done(self, step: Step, seconds: float) -> None:
        """Forget it."""
        del seconds, self._ends[step.number]

    def failed(self, step: Step, seconds: float) -> None:
        """Write its last lines, above the line of the error."""
        del seconds
        from rootless.cli.build_screen import plain  # noqa: PLC0415 - seldom wanted

        for line in self._ends.pop(step.number).splitlines()[-_KEPT_LINES:]:
            sys.stderr.write(f"{plain(line)}\n")
        sys.stderr.flush()

    def stopped(self, step: Step, seconds: float) -> None:
        """Forget it: not this one is to blame."""
        del seconds, self._ends[step.number]

    def close(self) -> None:
        """Do nothing."""
