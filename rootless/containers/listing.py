"""The containers as `ps` shows them: which are meant, and what is said of each."""

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rootless.containers import filters as filtering
from rootless.containers import record as records
from rootless.containers import times
from rootless.containers.record import Record
from rootless.containers.status import ELSEWHERE, EXITED, RESTARTING, Status, look
from rootless.errors import InvalidInput, NotFound
from rootless.paths import Paths

HEADER = ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
FIELDS = ("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names")
"""What podman and docker call the columns in a template."""

_LONGEST_COMMAND = 30
_STEPS = ((86400 * 7, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Listed:
    """A container and where it is in its life."""

    record: Record
    status: Status


def listed(filters: Iterable[str], *, everything: bool, last: int = -1) -> list[Listed]:
    """Return the containers that are asked for, the newest first.

    Args:
        filters: KEY=VALUE each; of one key any must hold, of labels and of several keys all.
        everything: Those that do not run as well; so does a filter by status.
        last: So many of the newest, whatever their status; -1 for no limit.
    """
    filters = tuple(filters)
    everything = everything or last >= 0 or filtering.are_of_all(filters)
    paths = Paths.from_environment()
    found = [Listed(record, look(paths, record)) for record in records.all_records(paths)]
    # one whose run has just ended has left nothing to list
    found = [each for each in found if each.record.kept or each.status.is_alive]
    tests = filtering.tests(filters, [each.record for each in found])
    found = [each for each in reversed(found) if everything or each.status.is_alive]
    found = [each for each in found if all(test(each.record, each.status) for test in tests)]
    return found[:last] if last >= 0 else found


def in_order(found: list[Listed], word: str) -> list[Listed]:
    """Return containers by what `ps --sort` names; raises InvalidInput."""
    if word not in _SORTED_BY:
        raise InvalidInput("no such order", word, f"--sort {', '.join(_SORTED_BY)}")
    return sorted(found, key=_SORTED_BY[word], reverse=word == "created")


_SORTED_BY: dict[str, Callable[[Listed], Any]] = {
    "command": lambda each: each.record.container.spec.process.args,
    "created": lambda each: each.record.created,
    "id": lambda each: each.record.id,
    "image": lambda each: each.record.image.name,
    "names": lambda each: each.record.name,
    "runningfor": lambda each: each.record.created,
    "status": lambda each: each.status.word,
}


def row(each: Listed, *, no_trunc: bool) -> list[str]:
    """Return a row of the table."""
    record = each.record
    command = shlex.join(record.container.spec.process.args)
    if not no_trunc and len(command) > _LONGEST_COMMAND:
        command = f"{command[: _LONGEST_COMMAND - 1]}…"
    now = datetime.now(UTC)
    return [
        record.id if no_trunc else record.id[:12],
        record.image.name or record.image.config_digest[7:19],
        command,
        f"{_since(record.created, now)} ago",
        status_text(each.status, now),
        ", ".join(f"{outer}->{inner}" for inner, outer in ports_of(record)),
        record.name,
    ]


def ports_of(record: Record) -> list[tuple[str, str]]:
    """Return each published port: `80/tcp` and where it is reached, `0.0.0.0:8080`."""
    found = []
    for each in record.container.network.ports:
        for i in range(each.length):
            address = each.host_ip or "0.0.0.0"  # noqa: S104 - what was asked for is shown
            address = f"[{address}]" if ":" in address else address
            inner = f"{each.container_port + i}/{each.protocol}"
            found.append((inner, f"{address}:{each.host_port + i}"))
    return found


def port_lines(word: str, wanted: str) -> list[str]:
    """Return a line for each published port of a container, or the addresses of one.

    Raises NotFound where there is no such container, or the port is not published.
    """
    paths = Paths.from_environment()
    record = records.find(paths, word)
    if not wanted:
        return [f"{inner} -> {outer}" for inner, outer in ports_of(record)]
    inside = wanted if "/" in wanted else f"{wanted}/tcp"
    found = [outer for inner, outer in ports_of(record) if inner == inside]
    if not found:
        raise NotFound("the container publishes no such port", inside, "see 'rootless port'")
    return found


def status_text(status: Status, now: datetime) -> str:
    """Return where a container is, for people: `Up 3 minutes`, `Exited (0) 2 hours ago`."""
    live, last = status.live, status.last
    if status.word == EXITED and last is not None:
        ago = f" {_since(last.finished, now)} ago" if last.finished else " (cut off)"
        return f"Exited ({last.exit_code}){ago}"
    if status.word == ELSEWHERE and last is not None:
        return f"On {last.host}"
    if live is not None and status.is_alive and status.word != RESTARTING and live.started:
        health = f" ({live.health})" if live.health else ""
        up = "Up" if status.word == "running" else "Starting"
        return f"{up} {_since(live.started, now)}{health}"
    return status.word.capitalize()


def _since(text: str, now: datetime) -> str:
    seconds = max(0, int(now.timestamp() - times.parse_time(text) / 1e9))
    for length, unit in _STEPS:
        count = seconds // length
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a second"


def summary(each: Listed) -> dict[str, Any]:
    """Return a container as `ps --format json` has it, after podman's names."""
    record, status = each.record, each.status
    live, last = status.live, status.last
    workload = live.workload if live is not None else None
    return {
        "Id": record.id,
        "Names": [record.name],
        "Image": record.image.name,
        "ImageID": record.image.config_digest.partition(":")[2],
        "Command": list(record.container.spec.process.args),
        "CreatedAt": record.created,
        "State": status.word,
        "Status": status_text(status, datetime.now(UTC)),
        "StartedAt": live.started if live is not None else last.started if last else "",
        "Exited": status.word == EXITED,
        "ExitedAt": last.finished if last is not None else "",
        "ExitCode": last.exit_code if last is not None else 0,
        "Pid": workload.pid if workload is not None else 0,
        "Restarts": live.restarts if live is not None else last.restarts if last else 0,
        "Ports": [{"Inside": inner, "Outside": outer} for inner, outer in ports_of(record)],
        "Labels": dict(record.labels),
        "AutoRemove": record.policy.remove or not record.kept,
    }
