"""What a long command tells whoever watches it."""

from typing import Protocol


class Progress(Protocol):
    """Called from the threads that do the work."""

    def layer(self, name: str, total: int | None) -> None:
        """Begin a layer of *total* bytes as it comes; None where nobody said."""

    def advance(self, n: int) -> None:
        """Take note of *n* bytes of the layer."""


class Silent:
    """A progress that nobody watches."""

    def layer(self, name: str, total: int | None) -> None:
        """Ignore it."""

    def advance(self, n: int) -> None:
        """Ignore it."""
