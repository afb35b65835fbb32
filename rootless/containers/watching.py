"""What running containers use, look after look (`rootless stats`)."""

import time
from collections.abc import Iterator, Sequence

from rootless.containers import ending, listing, usage
from rootless.containers import record as records
from rootless.containers.record import Record
from rootless.containers.run_folder import cgroup_of
from rootless.containers.stats import Stats, Usage, stats_of
from rootless.containers.status import look, run_folder_of
from rootless.linux.process_id import identify
from rootless.paths import Paths

_FIRST_S = 0.5  # between the two looks that the first numbers need


def watch(words: Sequence[str], interval: float) -> Iterator[list[Stats]]:
    """Yield what containers use, again and again; of all that run where none is named.

    Ends when none of the named runs any more. Raises NotFound, and Conflict for one that does not
    run in the beginning.
    """
    paths = Paths.from_environment()
    before = _look_at(paths, _chosen(paths, words))
    pause = min(_FIRST_S, interval)
    while before or not words:
        time.sleep(pause)
        pause = interval
        chosen = [record for record, _, _ in before.values()] if words else _chosen(paths, words)
        now = _look_at(paths, chosen)
        yield [
            stats_of(record.id, record.name, before.get(record.id, (None, used, 0))[1], used, age)
            for record, used, age in now.values()
        ]
        before = now


def _chosen(paths: Paths, words: Sequence[str]) -> list[Record]:
    if not words:
        return [each.record for each in listing.listed((), everything=False)]
    found = [records.find(paths, word) for word in words]
    for record in found:
        if look(paths, record).live is None:
            raise ending.not_running(record)
    return found


_Look = tuple[Record, Usage, float]


def _look_at(paths: Paths, chosen: Sequence[Record]) -> dict[str, _Look]:
    looks: dict[str, _Look] = {}
    for record in chosen:
        live = look(paths, record).live
        if live is None or live.init is None or identify(live.init.pid) != live.init:
            continue
        linux = record.container.spec.linux
        used = usage.look(
            live.init.pid,
            cgroup_of(run_folder_of(paths, record.id)),
            own_network=linux.namespace("network") is not None,
        )
        if used is not None:
            looks[record.id] = (record, used, usage.age_of(live.init.pid))
    return looks
