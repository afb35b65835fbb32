"""What happens to containers, as it happens (`rootless events`): look after look.

Nothing keeps a list of what has happened: what began and ended between two looks is not told.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rootless.containers import record as records
from rootless.containers.record import Record
from rootless.containers.status import RESTARTING, STARTING, Status, look
from rootless.containers.times import format_time
from rootless.errors import InvalidInput
from rootless.linux.process_id import own_id
from rootless.paths import Paths

_INTERVAL_S = 0.1
CREATE, START, DIE, REMOVE = "create", "start", "die", "remove"
_PODMAN_S = {DIE: "died"}
_KEYS = ("event", "container", "label", "image", "type")


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a container.

    Attributes:
        action: CREATE, START, DIE or REMOVE.
        record: Which.
        time_ns: When it was seen.
        exit_code: Of one that has ended.
    """

    action: str
    record: Record
    time_ns: int
    exit_code: int = 0


def watch(paths: Paths) -> Iterator[Event]:
    """Yield what happens from the start of this process on."""
    before = _seen(paths)
    begin = format_time(time.time_ns() - _own_age_ns())
    new = {key: each for key, each in before.items() if each[0].created >= begin}
    known = {
        key: (record, "" if started >= begin else started, status)
        for key, (record, started, status) in before.items()
        if key not in new
    }
    yield from between(known, before)
    while True:
        time.sleep(_INTERVAL_S)
        now = _seen(paths)
        yield from between(before, now)
        before = now


Seen = tuple[Record, str, Status]


def _seen(paths: Paths) -> dict[str, Seen]:
    """Return the containers by their IDs; with each when it was started, "" if it does not run."""
    found = {}
    for record in records.all_records(paths):
        status = look(paths, record)
        runs = status.live is not None and status.word not in (STARTING, RESTARTING)
        started = status.live.started if runs and status.live is not None else ""
        found[record.id] = record, started if status.is_alive else "", status
    return found


def between(before: Mapping[str, Seen], now: Mapping[str, Seen]) -> Iterator[Event]:
    """Yield what has happened between two looks."""
    moment = time.time_ns()
    for key, (record, started, status) in now.items():
        was = before.get(key)
        if was is None:
            yield Event(CREATE, record, moment)
        if was is not None and was[1] and was[1] != started:
            last = status.last
            yield Event(DIE, record, moment, last.exit_code if last is not None else 0)
        if started and (was is None or was[1] != started):
            yield Event(START, record, moment)
    for key in before.keys() - now.keys():
        record, started, _ = before[key]
        if started:
            yield Event(DIE, record, moment)
        yield Event(REMOVE, record, moment)


def _own_age_ns() -> int:
    """Return how long ago this process was started: what came since is told, too."""
    ticks_ns = own_id().started * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ticks_ns


def wanted(filters: Iterable[str]) -> "dict[str, list[str]]":
    """Return filters by their keys; raises InvalidInput."""
    found: dict[str, list[str]] = {}
    for text in filters:
        key, equals, value = text.partition("=")
        if key not in _KEYS or not equals:
            raise InvalidInput("not a filter", text, f"KEY=VALUE, by {', '.join(_KEYS)}")
        found.setdefault(key, []).append(value)
    return found


def holds(event: Event, filters: Mapping[str, list[str]]) -> bool:
    """Tell whether an event is wanted: of one key one must hold, of labels all."""
    record = event.record
    labels = {f"{key}={value}" for key, value in record.labels.items()} | record.labels.keys()
    has = {
        "event": {event.action, _PODMAN_S.get(event.action, event.action)},
        "container": {record.id, record.id[:12], record.name},
        "image": {record.image.name},
        "type": {"container"},
    }
    return labels.issuperset(filters.get("label", ())) and all(
        has[key].intersection(values) for key, values in filters.items() if key != "label"
    )


def document(event: Event) -> dict[str, Any]:
    """Return an event under docker's names and under podman's."""
    record, status = event.record, _PODMAN_S.get(event.action, event.action)
    attributes = {**record.labels, "image": record.image.name, "name": record.name}
    if event.action == DIE:
        attributes["exitCode"] = str(event.exit_code)
    return {
        "Type": "container",
        "Action": event.action,
        "status": event.action,
        "id": record.id,
        "from": record.image.name,
        "Actor": {"ID": record.id, "Attributes": attributes},
        "scope": "local",
        "time": event.time_ns // 1_000_000_000,
        "timeNano": event.time_ns,
        "ID": record.id,
        "Name": record.name,
        "Image": record.image.name,
        "Status": status,
        "Time": format_time(event.time_ns),
        "Attributes": attributes,
    }


def line(event: Event) -> str:
    """Return an event for people, as docker and podman print it."""
    record = event.record
    told = f"image={record.image.name}, name={record.name}"
    return f"{format_time(event.time_ns)} container {event.action} {record.id} ({told})"
