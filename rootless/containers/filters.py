"""`ps --filter KEY=VALUE`, which `rm`, `stop` and `start` have as well: podman's and docker's keys.

Of one key any must hold, of labels and of several keys all.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from rootless.containers.record import Record
from rootless.containers.status import CREATED, ELSEWHERE, EXITED, RESTARTING, Status
from rootless.errors import InvalidInput, NotFound
from rootless.oci.reference import parse_reference

Test = Callable[[Record, Status], bool]

_STATUSES = (CREATED, "starting", "running", RESTARTING, EXITED, ELSEWHERE)
_NEVER = ("paused", "dead", "removing", "unknown")  # what others know, and no container of ours is
_OF_ALL = ("status", "exited")


def are_of_all(filters: Iterable[str]) -> bool:
    """Tell whether those that do not run are meant as well."""
    return any(text.partition("=")[0] in _OF_ALL for text in filters)


def tests(filters: Iterable[str], known: Sequence[Record]) -> list[Test]:
    """Return what must hold of a container; raises InvalidInput, NotFound.

    Args:
        filters: KEY=VALUE each.
        known: All containers, for `before` and `since`.
    """
    found: dict[str, list[Test]] = {}
    for text in filters:
        key, equals, value = text.partition("=")
        if key in ("before", "since") and equals:
            found.setdefault(key, []).append(_by_neighbour(key, value, known))
        elif key in _FILTERS and equals:
            found.setdefault(key, []).append(_FILTERS[key](value))
        else:
            keys = ", ".join((*_FILTERS, "before", "since"))
            raise InvalidInput("not a filter", text, f"KEY=VALUE, by {keys}")
    return [_joined(key, each) for key, each in found.items()]


def _joined(key: str, several: Sequence[Test]) -> Test:
    how = all if key in ("label", "label!") else any
    return lambda record, status: how(test(record, status) for test in several)


def _by_name(value: str) -> Test:
    try:
        wanted = re.compile(value)
    except re.error as error:
        raise InvalidInput("not a regular expression", value, str(error)) from error
    return lambda record, _: bool(wanted.search(record.name) or wanted.search(f"/{record.name}"))


def _by_id(value: str) -> Test:
    return lambda record, _: record.id.startswith(value)


def _by_status(value: str) -> Test:
    value = EXITED if value == "stopped" else value
    if value not in (*_STATUSES, *_NEVER):
        raise InvalidInput("no such status", value, f"one of {', '.join(_STATUSES)}")
    return lambda _, status: status.word == value


def _by_label(value: str) -> Test:
    key, equals, wanted = value.partition("=")

    def test(record: Record, _: Status) -> bool:
        found = record.labels.get(key)
        return found is not None and (not equals or found == wanted)

    return test


def _by_no_label(value: str) -> Test:
    test = _by_label(value)
    return lambda record, status: not test(record, status)


def _by_exit_code(value: str) -> Test:
    if not (value.isascii() and value.isdigit()):
        raise InvalidInput("not an exit status", value)

    def test(_: Record, status: Status) -> bool:
        last = status.last
        return status.word == EXITED and last is not None and last.exit_code == int(value)

    return test


def _by_ancestor(value: str) -> Test:
    def test(record: Record, _: Status) -> bool:
        image = record.image
        if image.config_digest.partition(":")[2].startswith(value.removeprefix("sha256:")):
            return True
        if not image.name:
            return False
        have = parse_reference(image.name)
        names = (image.name, str(have.repository), have.path, f"{have.path}:{have.tag}")
        return value in (*names, have.path.rpartition("/")[2])

    return test


def _by_health(value: str) -> Test:
    if value not in ("starting", "healthy", "unhealthy", "none"):
        raise InvalidInput("no such health", value, "starting, healthy, unhealthy or none")

    def test(_: Record, status: Status) -> bool:
        live = status.live
        return live is not None and (live.health or "none") == value

    return test


def _by_volume(value: str) -> Test:
    def test(record: Record, _: Status) -> bool:
        mounts = record.container.spec.mounts
        bound = (mount for mount in mounts if {"bind", "rbind"} & {mount.type, *mount.options})
        return any(value in (mount.source, mount.destination) for mount in bound)

    return test


def _by_neighbour(key: str, value: str, known: Sequence[Record]) -> Test:
    meant = [each for each in known if each.name == value or (value and each.id.startswith(value))]
    if not meant:
        raise NotFound("no such container", value)
    moment = meant[0].created  # texts of times sort as times (`times.format_time`)
    if key == "before":
        return lambda record, _: record.created < moment
    return lambda record, _: record.created > moment


_FILTERS: dict[str, Callable[[str], Test]] = {
    "name": _by_name,
    "id": _by_id,
    "status": _by_status,
    "label": _by_label,
    "label!": _by_no_label,
    "ancestor": _by_ancestor,
    "exited": _by_exit_code,
    "health": _by_health,
    "volume": _by_volume,
}
