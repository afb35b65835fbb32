"""Who waits for whom: what is asked for comes first, and the background is still meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

import trio

_QUIET_S = 0.25  # a program that starts asks for one file after the other, with pauses in between
_SHARE_S = 0.25  # a request of the background holds up what is asked for no longer than this
_LEAST, _MOST = 256 << 10, 8 << 20


class Pace:
    """Counts what is asked for, and measures what a request may have.

    Attributes:
        size: How many bytes the background asks for at once.
    """

    def __init__(self) -> None:
        self._demands = 0
        self._none = trio.Event()
        self._none.set()
        self._last = float("-inf")
        self.size = 1 << 20

    @contextmanager
    def demand(self) -> Iterator[None]:
        """Serve something that is asked for."""
        self._demands += 1
        self._none = trio.Event() if self._none.is_set() else self._none
        try:
            yield
        finally:
            self._demands -= 1
            self._last = trio.current_time()
            if not self._demands:
                self._none.set()

    async def quiet(self, seconds: float = _QUIET_S) -> None:
        """Return when nothing has been asked for in so many seconds."""
        while True:
            await self._none.wait()
            rest_s = self._last + seconds - trio.current_time()
            if rest_s <= 0 and not self._demands:
                return
            await trio.sleep(max(rest_s, 0))

    def measure(self, size: int, seconds: float) -> None:
        """Take note of how long a request of the background took."""
        fitting = int(size * _SHARE_S / max(seconds, 0.001))
        self.size = max(_LEAST, min(_MOST, fitting, 2 * self.size))
