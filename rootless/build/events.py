"""What happens in a build, told to whoever shows it.

A step is told in one process, the one that gathers what the others say, and in order: `begin`, any
number of `output`, then one of `cached`, `done`, `failed` and
`stopped`.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction that is worth showing.

    Attributes:
        number: Of this step in the build, from 1, in the order in which they begin.
        stage: Name of the stage, or its number; "" where there is only one.
        position: Of the step in its stage, from 1.
        of: How many steps the stage has.
        text: The instruction, on one line.
        line: Where it stands in the file.
    """

    number: int
    stage: str
    position: int
    of: int
    text: str
    line: int


class Events(Protocol):
    """Who is told."""

    def begin(self, step: Step) -> None:
        """Learn that a step begins."""
        ...

    def output(self, step: Step, data: bytes) -> None:
        """Take what a step's command wrote."""
        ...

    def cached(self, step: Step) -> None:
        """Learn that a step's result was there already."""
        ...

    def done(self, step: Step, seconds: float) -> None:
        """Learn that a step is done."""
        ...

    def failed(self, step: Step, seconds: float) -> None:
        """Learn that a step failed; the error follows as an exception."""
        ...

    def stopped(self, step: Step, seconds: float) -> None:
        """Learn that a step was ended, as another one failed or the user wants no more."""
        ...

    def warn(self, text: str) -> None:
        """Take what may be wrong, and does not keep from building."""
        ...

    def tick(self) -> None:
        """Show again what changes with the time: called several times a second."""
        ...


class Silent:
    """Tells nobody."""

    def begin(self, step: Step) -> None:
        """Do nothing."""

    def output(self, step: Step, data: bytes) -> None:
        """Do nothing."""

    def cached(self, step: Step) -> None:
        """Do nothing."""

    def done(self, step: Step, seconds: float) -> None:
        """Do nothing."""

    def failed(self, step: Step, seconds: float) -> None:
        """Do nothing."""

    def stopped(self, step: Step, seconds: float) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def tick(self) -> None:
        """Do nothing."""
