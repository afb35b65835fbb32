"""What a pull or a push shows on stderr: bars on a terminal, lines or JSON where asked for.

Nothing at all elsewhere: a batch job's log wants none. All three count alike; only the bars are
rich's.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rootless.cli import table
from rootless.cli.exit import print_line
from rootless.errors import InvalidInput
from rootless.transfer.progress import Meter, Progress, Silent, State

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

FORMS = ("auto", "plain", "json", "none")
_BARS_S = 0.1
_JSON_S = 0.5
_PLAIN_S = 10.0
_ENDS = (State.PRESENT, State.DONE)


@contextmanager
def shown(form: str, *, quiet: bool) -> Iterator[Progress]:
    """Give a progress that shows itself in one of `FORMS`; raises InvalidInput for another."""
    if form not in FORMS:
        raise InvalidInput("no such form of progress", form, f"one of {', '.join(FORMS)}")
    if quiet or form == "none" or (form == "auto" and not sys.stderr.isatty()):
        yield Silent()
    elif form == "auto":
        with _bars() as progress:
            yield progress
    elif form == "plain":
        yield Told(_print_plain, print_line, _PLAIN_S)
    else:
        yield Told(_print_json, _say_json, _JSON_S)


class Count:
    """How far one layer is, and how fast it came there.

    Attributes:
        name: What it is called.
        total: Bytes to transfer; None where nobody said.
        have: Bytes that are there.
        state: Where it is.
    """

    def __init__(self, name: str, total: int | None, show: Callable[["Count"], None]) -> None:
        self.name = name
        self.total = total
        self.have = 0
        self.state = State.WAITING
        self._show = show
        self._begun_at = time.monotonic()
        self._begun_with = 0

    @property
    def rate(self) -> float:
        """Bytes a second since the state was entered."""
        took = time.monotonic() - self._begun_at
        return (self.have - self._begun_with) / took if took > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds to go, None where nobody can say."""
        rate = self.rate
        if self.total is None or rate <= 0:
            return None
        return max(0, self.total - self.have) / rate

    def advance(self, n: int) -> None:
        """Take note of further bytes."""
        self.have += n
        self._show(self)

    def enter(self, state: State, have: int | None = None) -> None:
        """Take note of a new state."""
        if state is not self.state:
            self.state = state
            self._begun_at = time.monotonic()
            self._begun_with = self.have if have is None else have
        self.have = self.have if have is None else have
        self._show(self)


class Told:
    """A progress of lines: one for each state of a layer, and one now and then in between."""

    def __init__(
        self, write: Callable[[Count], None], say: Callable[[str], None], every_s: float
    ) -> None:
        self._write = write
        self._say = say
        self._every_s = every_s
        self._told: dict[str, tuple[State, float]] = {}

    def begin(self, name: str, total: int | None) -> Meter:
        """Begin a layer."""
        return Count(name, total, self._show)

    def say(self, text: str) -> None:
        """Show a line."""
        self._say(text)

    def _show(self, count: Count) -> None:
        now = time.monotonic()
        state, told_at = self._told.get(count.name, (None, 0.0))
        if count.state is not state or now - told_at >= self._every_s:
            self._told[count.name] = (count.state, now)
            self._write(count)


def _print_json(count: Count) -> None:
    left = count.left_s
    _write_json(
        {
            "layer": count.name,
            "state": str(count.state),
            "bytes": count.have,
            "total": count.total,
            "rate": round(count.rate),
            "left": None if left is None else round(left, 1),
        }
    )


def _say_json(text: str) -> None:
    _write_json({"message": text})


def _write_json(document: Mapping[str, object]) -> None:
    sys.stderr.write(json.dumps(document) + "\n")
    sys.stderr.flush()


def _print_plain(count: Count) -> None:
    total = "" if count.total is None else f" of {table.size(count.total)}"
    line = f"layer {short(count.name)}: {count.state}"
    if count.state in _ENDS:
        line += f", {table.size(count.have)}"
    elif count.state is not State.INDEXING:
        line += f", {table.size(count.have)}{total}"
        left = count.left_s
        if left is not None:
            line += f", {table.size(int(count.rate))}/s, {left:.0f} s left"
    print_line(line)


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for rich
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as RichProgress  # noqa: PLC0415

    with RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[state]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        yield Bars(bars)


class Bars:
    """A bar for each layer."""

    def __init__(self, bars: "RichProgress") -> None:
        self._bars = bars

    def begin(self, name: str, total: int | None) -> Meter:
        """Begin a layer's bar."""
        task = self._bars.add_task(f"layer {short(name)}", total=total, state="")
        return Bar(self._bars, task, total)

    def say(self, text: str) -> None:
        """Show a line above the bars."""
        self._bars.console.print(_printable(text), markup=False, highlight=False)


class Bar:
    """One layer's bar; rich is told some ten times a second, since every call takes a lock."""

    def __init__(self, bars: "RichProgress", task: "TaskID", total: int | None) -> None:
        self._bars = bars
        self._task = task
        self._total = total
        self._state: State | None = None
        self._pending = 0
        self._shown_at = 0.0

    def advance(self, n: int) -> None:
        """Gather bytes."""
        self._pending += n
        now = time.monotonic()
        if now - self._shown_at >= _BARS_S:
            self._shown_at = now
            self._flush()

    def enter(self, state: State, have: int | None = None) -> None:
        """Show a new state; what nobody transferred does not count for the speed."""
        self._flush()
        if state is not self._state:
            self._state = state
            if have is not None and state not in _ENDS:
                self._bars.reset(self._task, total=self._total, completed=have)
            word = "" if state in (State.DOWNLOADING, State.UPLOADING, State.DONE) else str(state)
            self._bars.update(self._task, state=word)
        if have is not None:
            self._bars.update(self._task, completed=have)

    def _flush(self) -> None:
        if self._pending:
            self._bars.advance(self._task, self._pending)
            self._pending = 0


def short(name: str) -> str:
    """Return the beginning of a digest, or of another name; printable, since it is from outside."""
    text = name.partition(":")[2] or name
    return _printable(text[:12])


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
