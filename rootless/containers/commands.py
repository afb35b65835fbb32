"""What the commands do with containers that a user names: one function a verb."""

import contextlib
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rootless.containers import attach as attaching
from rootless.containers import control, ending, logs
from rootless.containers import record as records
from rootless.containers.attach import AttachOptions
from rootless.containers.logs import Entry, Wanted
from rootless.containers.record import Record
from rootless.containers.remove import remove, remove_damaged, remove_unfinished
from rootless.containers.run_folder import sweep
from rootless.containers.start import start as start_record
from rootless.containers.status import look, run_folder_of
from rootless.containers.times import format_time, parse_moment
from rootless.errors import Conflict, InvalidInput, NotFound, StoreError
from rootless.linux.channel import Channel
from rootless.paths import Paths


def start(word: str) -> str:
    """Start a container; return the word that was given."""
    paths = Paths.from_environment()
    start_record(paths, _kept(paths, word)).end.close()
    return word


def start_attached(word: str, *, takes_input: bool, detach_keys: bytes, sig_proxy: bool) -> int:
    """Start a container and attach to it from its first word on; return its status."""
    paths = Paths.from_environment()
    record = _kept(paths, word)
    options = AttachOptions(
        takes_input=takes_input,
        has_terminal=record.container.spec.process.terminal,
        detach_keys=detach_keys,
        sig_proxy=sig_proxy,
    )
    started = start_record(paths, record, attaching.first_messages())
    folder = run_folder_of(paths, record.id)
    with started.end:
        return attaching.follow(started.end, folder, options, started.early) or 0


def attach(word: str, *, takes_input: bool, detach_keys: bytes, sig_proxy: bool) -> int:
    """Attach to a container that runs; return its status, 0 where the keys came first."""
    paths = Paths.from_environment()
    record = records.find(paths, word)
    if not look(paths, record).is_alive:
        raise ending.not_running(record)
    container = record.container
    options = AttachOptions(
        takes_input=takes_input and container.interactive,
        has_terminal=container.spec.process.terminal,
        detach_keys=detach_keys,
        sig_proxy=sig_proxy,
    )
    return attaching.attach(run_folder_of(paths, record.id), options) or 0


def stop(word: str, patience: float | None, number: int = 0) -> str:
    """Stop a container, by another signal than its own too; what does not run is left as it is."""
    paths = Paths.from_environment()
    ending.stop(paths, records.find(paths, word), patience, number)
    return word


def restart(word: str, patience: float | None) -> str:
    """Stop a container where it runs, and start it; raises Conflict for what goes when it ends."""
    paths = Paths.from_environment()
    record = records.find(paths, word)
    if not record.kept or record.policy.remove:
        what = "a container that goes when it ends cannot be started again"
        raise Conflict(what, record.name, "run it without --rm, with a name or --detach")
    ending.stop(paths, record, patience)
    start_record(paths, record).end.close()
    return word


def kill(word: str, number: int) -> str:
    """Send a signal to what a container runs."""
    paths = Paths.from_environment()
    ending.kill(paths, records.find(paths, word), number)
    return word


def wait(word: str) -> str:
    """Wait for a container's end; return its status as text."""
    paths = Paths.from_environment()
    return str(ending.wait(paths, records.find(paths, word)))


def remove_one(word: str, *, force: bool, patience: float | None = None) -> str:
    """Remove a container; by force one that runs, one that is damaged, one that is not there.

    With patience what runs has so many seconds to end by its stop signal.
    """
    paths = Paths.from_environment()

    def end(record: Record) -> None:
        if patience is not None:
            ending.stop(paths, record, patience)
        ending.end_now(paths, record)

    try:
        remove(paths, records.find(paths, word), end if force else None)
    except NotFound:
        if not force:
            raise
    except StoreError:
        if not force or not remove_damaged(paths, word):
            raise
    remove_unfinished(paths)
    return word


def remove_leftovers() -> None:
    """Remove what killed commands left."""
    paths = Paths.from_environment()
    sweep(paths)
    remove_unfinished(paths)


def rename(word: str, name: str) -> None:
    """Give a container another name."""
    paths = Paths.from_environment()
    records.rename(paths, records.find(paths, word), name)


def wanted(tail: str, since: str, until: str) -> Wanted:
    """Return which entries of a log `--tail`, `--since` and `--until` mean."""
    if tail != "all" and not (tail.isascii() and tail.isdigit()):
        raise InvalidInput("--tail takes a number of lines, or all", tail)
    now_ns = time.time_ns()
    texts = [format_time(parse_moment(text, now_ns)) if text else "" for text in (since, until)]
    return Wanted(None if tail == "all" else int(tail), *texts)


@dataclass(frozen=True, slots=True)
class Log:
    """A container's log, to be read.

    Attributes:
        entries: What is wanted of it; waits where it is followed.
        error: Returns why something is missing; "" where nothing is.
    """

    entries: Iterator[Entry]
    error: Callable[[], str]


def read_log(word: str, which: Wanted, *, follow: bool) -> Log:
    """Return a container's log; raises Conflict for one in the foreground, which has none."""
    paths = Paths.from_environment()
    record = records.find(paths, word)
    live = look(paths, record).live
    if live is not None and not live.detached:
        raise Conflict(
            "the container runs in the foreground and has no log", record.name, "run it with -d"
        )
    entries = _entries(paths, record, which, follow=follow)
    return Log(entries, partial(_log_error, paths, record))


def _entries(paths: Paths, record: Record, which: Wanted, *, follow: bool) -> Iterator[Entry]:
    with contextlib.ExitStack() as owned:
        # Before the first look, so that nothing comes in between.
        more = _await_growth(paths, record, owned) if follow else None
        yield from logs.read(records.folder_of(paths, record), which, more)


def _await_growth(
    paths: Paths, record: Record, owned: contextlib.ExitStack
) -> Callable[[], bool] | None:
    """Return what waits for the log to grow, and tells whether it may grow again."""
    end = control.connect(run_folder_of(paths, record.id))
    if end is None:
        return None
    channel = Channel(end)
    owned.callback(channel.close)
    channel.send({"follow": True})

    def wait_for_more() -> bool:
        if channel.receive() is None:
            return False
        poll = select.poll()
        poll.register(channel.fileno(), select.POLLIN)
        while poll.poll(0):
            if channel.receive() is None:
                return False
        return True

    return wait_for_more


def _log_error(paths: Paths, record: Record) -> str:
    status = look(paths, record)
    if status.live is not None:
        return status.live.log_error
    return status.last.log_error if status.last is not None else ""


def _kept(paths: Paths, word: str) -> Record:
    record = records.find(paths, word)
    if not record.kept:
        raise Conflict("the container is running already", record.name)
    return record
