"""Which bytes of a blob to ask for in one request; pure.

A blob is made of parts: its chunks, and the gaps between them, in which the members' headers lie.
What is wanted is joined with neighbours into runs, as a request costs a round trip, in which a link
carries many small chunks. On demand a run goes on behind what is wanted (read-ahead): the files of
a folder lie side by side, and who reads one mostly reads the next.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

JOIN = 64 << 10
"""So many bytes that are there already are fetched again, rather than ask twice."""
MOST = 8 << 20
"""A run is no longer, unless a single chunk is."""

IsThere = Callable[[int], bool]
"""Whether a part is there, by its owner."""


class Run(NamedTuple):
    """Bytes of a blob that are asked for at once."""

    start: int
    end: int


class Part(NamedTuple):
    """A piece of a blob.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        owner: The number of the chunk; of a gap, counted from 0, `~number`.
    """

    start: int
    end: int
    owner: int


class BlobMap:
    """The parts of a blob, in the order in which they lie there.

    Args:
        chunks: Place and length of each chunk in the blob, by number; a length of 0 for none.
        size: Of the blob.
    """

    def __init__(self, chunks: Sequence[tuple[int, int]], size: int) -> None:
        self._chunks = chunks
        gaps = list(_gaps(sorted(chunks), size))
        parts = [Part(place, place + stored, n) for n, (place, stored) in enumerate(chunks)]
        parts = [part for part in parts if part.end > part.start]
        parts += [Part(start, end, ~number) for number, (start, end) in enumerate(gaps)]
        parts.sort()
        self._parts = parts
        self._starts = [part.start for part in parts]
        self.gap_count = len(gaps)
        self.size = size

    def inside(self, run: Run) -> Iterator[Part]:
        """Yield the parts that lie in a run as a whole."""
        for position in range(bisect_left(self._starts, run.start), len(self._parts)):
            part = self._parts[position]
            if part.start >= run.end:
                return
            if part.end <= run.end:
                yield part

    def runs_for(self, numbers: Iterable[int], is_there: IsThere, ahead: int = 0) -> list[Run]:
        """Return what to ask for to get chunks, and up to *ahead* bytes behind the last of them."""
        runs: list[Run] = []
        for start, end in sorted((place, place + n) for place, n in map(self._chunk, numbers)):
            last = runs[-1] if runs else None
            if last is not None and start - last.end <= JOIN and end - last.start <= MOST:
                runs[-1] = Run(last.start, max(end, last.end))
            else:
                runs.append(Run(start, end))
        if runs and ahead:
            runs[-1] = self._longer(runs[-1], runs[-1].end + ahead, is_there)
        return runs

    def next_run(self, begin: int, most: int, is_there: IsThere) -> Run | None:
        """Return the first bytes from *begin* on that are not there; None at the end.

        At most *most*: where a single part is longer, the run is that.
        """
        for position in range(bisect_left(self._starts, begin), len(self._parts)):
            part = self._parts[position]
            if not is_there(part.owner):
                return self._longer(Run(part.start, part.end), part.start + most, is_there)
        return None

    def _chunk(self, number: int) -> tuple[int, int]:
        return self._chunks[number]

    def _longer(self, run: Run, limit: int, is_there: IsThere) -> Run:
        """Return a run with the parts behind it that are not there, up to a limit."""
        end = run.end
        for position in range(bisect_left(self._starts, run.end), len(self._parts)):
            part = self._parts[position]
            if part.end > limit or part.start - end > JOIN:
                break
            if not is_there(part.owner):
                end = max(end, part.end)
        return Run(run.start, end)


def _gaps(chunks: Iterable[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    at = 0
    for place, stored in chunks:
        if place > at:
            yield at, place
        at = max(at, place + stored)
    if at < size:
        yield at, size
