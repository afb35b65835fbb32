"""Objects that are let go of by `close`, and so are context managers."""

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """Closed when its context is left."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held; harmless when repeated."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
