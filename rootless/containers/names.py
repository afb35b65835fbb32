"""Names for containers that were given none: two words, easy to say and to type."""

from rootless.containers.record import all_records
from rootless.paths import Paths

_FIRST = (
    *("able", "amber", "brave", "brisk", "calm", "clear", "clever", "cosy", "eager", "early"),
    *("fair", "fresh", "gentle", "glad", "golden", "happy", "honest", "keen", "kind", "lively"),
    *("merry", "mild", "neat", "patient", "plain", "proud", "quick", "quiet", "sunny", "swift"),
    *("tidy", "warm"),
)
_SECOND = (
    *("alder", "aspen", "badger", "beech", "birch", "cedar", "crane", "elm", "falcon", "fern"),
    *("finch", "fox", "hare", "hazel", "heron", "ibis", "ivy", "juniper", "larch", "lark"),
    *("linden", "lynx", "maple", "marten", "oak", "otter", "pine", "robin", "rowan", "swan"),
    *("willow", "wren"),
)


def invent(paths: Paths, container_id: str) -> str:
    """Return a name that no container has, out of an ID; with a number where few are left."""
    taken = {record.name for record in all_records(paths)}
    for at in range(0, len(container_id) - 4, 4):
        number = int(container_id[at : at + 4], 16)
        name = f"{_FIRST[number % len(_FIRST)]}_{_SECOND[number // 64 % len(_SECOND)]}"
        if name not in taken:
            return name
    return f"{name}_{container_id[:8]}"
