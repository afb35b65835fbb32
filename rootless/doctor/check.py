"""What one check says."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far a check's subject lets images run."""

    OK = "ok"
    WARNING = "warning"  # runs, with less
    FAILED = "failed"  # does not run


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: Stable; errors elsewhere refer to it.
        state: Whether it stands in the way.
        seen: What was found, a clause.
        cause: Why that is not as it should be; empty where it is.
        fix: The command, or the sentence, that puts it right; empty where nothing is to be done.
    """

    name: str
    state: State
    seen: str
    cause: str = ""
    fix: str = ""
