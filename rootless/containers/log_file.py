"""A container's log as it grows: a record a line, in the form of the Kubernetes CRI.

    2026-01-31T12:00:00.000000001Z stdout F a whole line
    2026-01-31T12:00:00.000000002Z stderr P the beginning of a line

What comes in one piece is written in one piece, so that a prompt without a line's end shows at once
and the rest of its line follows in a record of its own. At its size the log becomes log.1, log.1
log.2, and the last of them goes. A disk that is full costs the log some lines and nobody anything
else: a record is there whole or not at all, and the reason is kept for who asks.
"""

import contextlib
import os
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path

from rootless.containers.policy import Policy
from rootless.containers.times import format_time

LOG = "log"
STDOUT, STDERR = b"stdout", b"stderr"
_LONGEST = 16384


def files_of(folder: Path) -> list[Path]:
    """Return the files of a container's log that are there, the oldest first."""
    found = []
    with contextlib.suppress(OSError):
        names = (name.rpartition(".") for name in os.listdir(folder) if name.startswith(LOG))
        found = [int(number) for stem, _, number in names if stem == LOG and number.isdigit()]
    older = [folder / f"{LOG}.{number}" for number in sorted(found, reverse=True)]
    return [*older, folder / LOG]


def newest_first(folder: Path) -> Iterator[Path]:
    """Yield the names of a log's files, those that come up meanwhile as well."""
    yield folder / LOG
    for number in count(1):
        if number >= len(files_of(folder)):
            return
        yield folder / f"{LOG}.{number}"


class LogFile:
    """The log of one container, open for writing.

    Attributes:
        error: Why something could not be written; "" where all could.
    """

    def __init__(self, folder: Path, policy: Policy) -> None:
        self.error = ""
        self._folder = folder
        self._most_bytes = policy.log_bytes
        self._most_files = policy.log_files
        self._fd = -1
        self._size = 0

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def write(self, stream: bytes, data: bytes, now_ns: int) -> None:
        """Note what a stream brought; never raises."""
        try:
            for piece in self._pieces(_records(stream, data, format_time(now_ns).encode())):
                self._write(piece)
        except OSError as error:
            self.error = error.strerror or str(error)

    def _pieces(self, records: list[bytes]) -> Iterator[bytes]:
        """Yield records together as long as the file has room for them; then rotate."""
        if self._fd < 0:
            self._open()
        piece: list[bytes] = []
        size = self._size
        for record in records:
            if size and size + len(record) > self._most_bytes:
                yield b"".join(piece)
                self._rotate()
                piece, size = [], 0
            piece.append(record)
            size += len(record)
        yield b"".join(piece)

    def _write(self, text: bytes) -> None:
        written = 0
        try:
            while written < len(text):
                written += os.write(self._fd, text[written:])
            self._size += written
        except OSError:
            os.ftruncate(self._fd, self._size)  # no half of a record
            raise

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self._folder / LOG, flags, 0o600)
        self._size = os.fstat(self._fd).st_size

    def _rotate(self) -> None:
        self.close()
        names = [LOG, *(f"{LOG}.{number}" for number in range(1, self._most_files))]
        with contextlib.suppress(FileNotFoundError):
            (self._folder / names[-1]).unlink()
        for younger, older in reversed(list(pairwise(names))):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / younger).rename(self._folder / older)
        self._open()


def _records(stream: bytes, data: bytes, time: bytes) -> list[bytes]:
    records = []
    for line in _lines(data):
        whole = line.endswith(b"\n")
        text = line.removesuffix(b"\n")
        while len(text) > _LONGEST:
            records.append(b"%s %s P %s\n" % (time, stream, text[:_LONGEST]))
            text = text[_LONGEST:]
        records.append(b"%s %s %s %s\n" % (time, stream, b"F" if whole else b"P", text))
    return records


def _lines(data: bytes) -> list[bytes]:
    """Split at newlines only: a carriage return is part of the line, as of a terminal's."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop().removesuffix(b"\n")
    return [*lines, last] if last else lines
