"""A container's log as it is read: from the end, from a time on, and while it grows."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rootless.containers.log_file import LOG, STDERR, files_of, newest_first

_CHUNK = 1 << 16
_TRIES = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a log.

    Attributes:
        time: RFC 3339, as it stands there.
        stream: `stdout` or `stderr`.
        whole: The line ends with it.
        text: What was said, without the line's end.
    """

    time: bytes
    stream: bytes
    whole: bool
    text: bytes

    @property
    def is_stderr(self) -> bool:
        """Tell which of the two streams it came by."""
        return self.stream == STDERR


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are wanted.

    Attributes:
        tail: So many of the last lines; None for all.
        since: RFC 3339 time from which on, "" for the beginning.
        until: Up to which, "" for the end.
    """

    tail: int | None = None
    since: str = ""
    until: str = ""

    def has(self, entry: Entry) -> bool:
        """Tell whether an entry lies between the times, which are all written alike."""
        time = entry.time.decode()
        return (not self.since or time >= self.since) and (not self.until or time <= self.until)


def parse_entry(line: bytes) -> Entry | None:
    """Return the entry of a line; None for what is none, as after a crash."""
    time, _, rest = line.partition(b" ")
    stream, _, rest = rest.partition(b" ")
    tag, space, text = rest.partition(b" ")
    if not space or tag not in (b"F", b"P"):
        return None
    return Entry(time, stream, tag == b"F", text)


class LogReader:
    """A log's entries, oldest first, and later those that came meanwhile.

    Follows the log through its rotation: what has been opened is read to its end first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rest = b""
        self._fd = -1

    def close(self) -> None:
        """Close what is open."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def entries(self) -> Iterator[Entry]:
        """Yield those that are there and have not been yielded."""
        if self._fd < 0:
            self._fd = self._open_oldest()
        yield from self._read_on()
        while self._was_rotated():
            yield from self._read_on()  # what was written between the last look and the rotation
            self._open_next()
            yield from self._read_on()

    def _read_on(self) -> Iterator[Entry]:
        while self._fd >= 0 and (data := os.read(self._fd, _CHUNK)):
            *lines, self._rest = (self._rest + data).split(b"\n")
            yield from filter(None, map(parse_entry, lines))

    def _was_rotated(self) -> bool:
        if self._fd < 0:
            return False
        try:
            return not os.path.samestat(os.stat(self._folder / LOG), os.fstat(self._fd))
        except FileNotFoundError:
            return False  # in the middle of it

    def _open_oldest(self) -> int:
        """Return a descriptor of the oldest file, -1 where there is none."""
        fd = -1
        for _ in range(_TRIES):
            fd = next(iter(self._opened(files_of(self._folder))), -1)
            with contextlib.suppress(FileNotFoundError):
                if fd < 0 or os.path.samestat(os.stat(files_of(self._folder)[0]), os.fstat(fd)):
                    break
            os.close(fd)  # its name was another file's by then
            fd = -1
        return fd

    def _open_next(self) -> None:
        """Go on with the file that came after the one that is open.

        Names move on meanwhile, so what was seen is kept by descriptor. A file that is seen twice
        does no harm: it is looked for the open one, from the newest on, and then one step back.
        """
        here = os.fstat(self._fd)
        following = -1
        for fd in self._opened(newest_first(self._folder)):
            if os.path.samestat(os.fstat(fd), here):
                os.close(fd)
                break
            if following >= 0:
                os.close(following)
            following = fd  # at the end the oldest there is, where the open one has gone
        if following >= 0:
            os.close(self._fd)
            self._fd = following
            self._rest = b""

    def _opened(self, paths: Iterable[Path]) -> Iterator[int]:
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                yield os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def read(folder: Path, wanted: Wanted, follow: Callable[[], bool] | None = None) -> Iterator[Entry]:
    """Yield the entries of a log that are wanted.

    Args:
        folder: The container's.
        wanted: Which.
        follow: Waits for more and tells whether more may come; None where none is waited for.
    """
    reader = LogReader(folder)
    try:
        found = (entry for entry in reader.entries() if wanted.has(entry))
        yield from found if wanted.tail is None else _last_lines(found, wanted.tail)
        while follow is not None:
            more = follow()
            yield from (entry for entry in reader.entries() if wanted.has(entry))
            if not more:
                return
    finally:
        reader.close()


def _last_lines(entries: Iterator[Entry], count: int) -> list[Entry]:
    """Return the entries of the last lines; a line of several entries counts once."""
    lines: deque[list[Entry]] = deque(maxlen=count)
    begun: dict[bytes, list[Entry]] = {}
    for entry in entries:
        line = begun.pop(entry.stream, None)
        if line is None:
            line = []
            lines.append(line)
        line.append(entry)
        if not entry.whole:
            begun[entry.stream] = line
    return [entry for line in lines for entry in line]
