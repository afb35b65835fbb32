"""What a transfer of several layers at once tells whoever watches it."""

from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """Where one layer is."""

    WAITING = "waiting"
    """Another process has it in hand."""
    DOWNLOADING = "downloading"
    UPLOADING = "uploading"
    COMPRESSING = "compressing"
    """It is made, from the tar, into what is uploaded or written."""
    INDEXING = "indexing"
    """All of it is there, and not all of it is verified and indexed."""
    PRESENT = "present"
    """Nothing had to be done."""
    DONE = "done"


class Meter(Protocol):
    """Tells of one layer; called from the thread that runs the transfer."""

    def advance(self, n: int) -> None:
        """Take note of *n* further bytes."""

    def enter(self, state: State, have: int | None = None) -> None:
        """Take note of a new state; with *have* bytes there already, which nobody transferred."""


class Progress(Protocol):
    """Tells of a whole transfer."""

    def begin(self, name: str, total: int | None) -> Meter:
        """Begin a layer, called *name*, of *total* bytes as they are transferred."""

    def say(self, text: str) -> None:
        """Show a line: a decision that the user may want to know of."""


class SilentMeter:
    """A meter that nobody reads."""

    def advance(self, n: int) -> None:
        """Ignore it."""

    def enter(self, state: State, have: int | None = None) -> None:
        """Ignore it."""


class Silent:
    """A progress that nobody watches."""

    def begin(self, name: str, total: int | None) -> Meter:
        """Return a meter that nobody reads."""
        del name, total
        return SilentMeter()

    def say(self, text: str) -> None:
        """Ignore it."""
