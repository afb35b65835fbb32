"""Every difference between what we and buildah 1.28 build out of the same files, with its reason.

docs/build.md has the same list for users. A row that a case no longer needs fails its test, so that
the table says what is so.
"""

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from buildah_session import Shown
from listing import Item

PROCESS = (
    *("Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild", "Shell"),
    *("StopSignal", "User", "Volumes", "WorkingDir"),
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row: differences of some cases that match, and why they may be.

    Attributes:
        cases: Names of cases.
        pattern: Of a whole difference's beginning: `PATH FIELD`, `config KEY`.
        reason: Why.
        id_map: With which map; "" with either.
    """

    cases: tuple[str, ...]
    pattern: str
    reason: str
    id_map: str = ""

    def covers(self, line: str) -> bool:
        """Tell whether it is about this difference."""
        return re.match(rf"(?:{self.pattern})(?::|$)", line) is not None


ACCEPTED: tuple[Accepted, ...] = ()


def rows(case: str, id_map: str) -> list[Accepted]:
    """Return the rows about a case."""
    return [row for row in ACCEPTED if case in row.cases and row.id_map in ("", id_map)]


def differences(expected: Shown, found: Shown, began_ns: int) -> Iterator[str]:
    """Yield `PATH FIELD: …` and `config KEY: …` lines for all that two images do not agree in.

    A time is the same, or both are later than the tests' beginning: what a build made itself.
    """
    for path in sorted(expected.listing.keys() | found.listing.keys()):
        name = "/" + path.decode("utf-8", "backslashreplace")
        left, right = expected.listing.get(path), found.listing.get(path)
        if left is None or right is None:
            yield f"{name} path: {'missing' if right is None else 'too many'}"
            continue
        yield from _of_items(name, left, right, began_ns)
        if expected.contents.get(path) != found.contents.get(path):
            yield f"{name} contents: differ"
    yield from _of_configs(expected.config, found.config)


def _of_items(name: str, left: Item, right: Item, began_ns: int) -> Iterator[str]:
    for field, a, b in zip(Item._fields, left, right, strict=True):
        if a == b or (field == "mtime_ns" and a > began_ns and b > began_ns):
            continue
        shown = (oct(a), oct(b)) if field == "mode" else (repr(a), repr(b))
        if field == "size" and stat.S_ISREG(left.mode) and stat.S_ISREG(right.mode):
            continue  # the contents say it
        yield f"{name} {field}: expected {shown[0]}, found {shown[1]}"


def _of_configs(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[str]:
    for key in ("architecture", "author", "os"):
        yield from _of_values(key, left.get(key), right.get(key))
    for key in PROCESS:
        yield from _of_values(key, *((each.get("config") or {}).get(key) for each in (left, right)))
    histories = [
        [bool(step.get("empty_layer")) for step in each["history"]] for each in (left, right)
    ]
    yield from _of_values("history", *histories)
    counts = [len(each["rootfs"]["diff_ids"]) for each in (left, right)]
    yield from _of_values("layers", *counts)


def _of_values(key: str, left: object, right: object) -> Iterator[str]:
    if (left or None) != (right or None):
        yield f"config {key}: expected {left!r}, found {right!r}"
