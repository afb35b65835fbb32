"""What a container changed of its image, name by name: all of `rootless diff`.

As `podman diff` has it: A for what is new, C for what is there before and after and was written
to, D for what is gone, without what was below it. Directories that hold a change are changed.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from stat import S_ISDIR

from rootless.containers.root_files import RootFiles, read_inside
from rootless.image.layers import Hidden, TarContents, UpperWalk

ADDED, CHANGED, DELETED = "A", "C", "D"
_TIME_ONLY = "t"  # a folder that differs in its time of last modification, and nothing else
_WORDS = {CHANGED: "changed", ADDED: "added", DELETED: "deleted"}
_END = b"\0"

MADE_FOR_MOUNTS = frozenset(
    [
        *("/dev", "/proc", "/sys", "/run", "/etc/mtab"),
        *("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv", "/run/secrets"),
    ]
)
"""Places that a container is given for its mounts where the image lacks them: nobody's change."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One line: the path, absolute, and one of A, C, D."""

    path: bytes
    kind: str


def changes(files: RootFiles, given: Collection[str] = MADE_FOR_MOUNTS) -> list[Change]:
    """Return the changes in the order of their paths.

    Args:
        files: The container's.
        given: Paths that are left out: mount points.

    Raises:
        InvalidInput, StoreError: The upperdir cannot be read.
    """
    with read_inside(files, _lines) as stream:
        lines = stream.readall().split(_END)[:-1]
    found = [Change(line[1:], line[:1].decode()) for line in lines]
    left_out = {path.encode("utf-8", "surrogateescape") for path in given}
    return with_parents(_without(found, left_out))


def to_json(found: Sequence[Change]) -> str:
    """Return the document that `podman diff --format json` prints."""
    lists: dict[str, list[str]] = {}
    for change in found:
        path = change.path.decode("utf-8", "surrogateescape")
        lists.setdefault(_WORDS[change.kind], []).append(path)
    return json.dumps(lists, indent=4)


def _without(found: Sequence[Change], left_out: Collection[bytes]) -> Iterator[Change]:
    """Yield the changes but some, and but folders that changed by nothing else."""
    touched = {each.path.rpartition(b"/")[0] for each in found if each.path in left_out}
    for each in found:
        if each.path not in left_out and not (each.kind == _TIME_ONLY and each.path in touched):
            yield Change(each.path, CHANGED) if each.kind == _TIME_ONLY else each


def with_parents(found: Iterable[Change]) -> list[Change]:
    """Return the changes, sorted, with the directories above them, which are changed with them."""
    kinds = {change.path: change.kind for change in found}
    for path in list(kinds):
        parent = path.rpartition(b"/")[0]
        while parent and parent not in kinds:
            kinds[parent] = CHANGED
            parent = parent.rpartition(b"/")[0]
    return sorted(Change(path, kind) for path, kind in kinds.items())


def _lines(walk: UpperWalk, contents: TarContents) -> Iterator[bytes]:
    """Yield the changes but those of directories that have their image's attributes."""
    del contents
    for each in walk.changes():
        if isinstance(each, Hidden):
            kind = DELETED
        elif each.before is None:
            kind = ADDED
        elif not each.path or (S_ISDIR(each.mode) and walk.is_as_before(each)):
            continue
        else:
            is_folder = S_ISDIR(each.mode) and S_ISDIR(each.before.mode)
            same = each._replace(mtime_ns=each.before.mtime_ns)
            kind = _TIME_ONLY if is_folder and walk.is_as_before(same) else CHANGED
        yield kind.encode() + b"/" + each.path + _END
