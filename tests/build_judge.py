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


_ALL = (
    *("apt-packages", "c-program", "python-app", "heredocs", "secrets-and-caches", "onbuild"),
    *("targets", "archives", "users", "metadata", "copies", "special-files"),
)
_WITH_RUN = tuple(name for name in _ALL if name not in ("archives", "c-program"))
_WITH_APT = ("apt-packages", "python-app")
_LABEL = "its version is a label"
_LEFT_BEHIND = (
    "what is mounted for a RUN leaves empty files and folders behind, where there were none"
)
_NO_LAYER = "a RUN that wrote into a cache alone has a layer"
_WORKDIR = "the folder of a WORKDIR is made by the next step, as the user of then, or not at all"
_VOLUME = "the folders of VOLUME are made when a RUN follows"
_LOST = "what a RUN writes below a VOLUME is lost"
_PORTS = "EXPOSE of a range is one entry of the config"
_FOLDER_TIMES = "a folder that was there gets a new time when something is copied into it"
_HEREDOCS = "here-documents are not known: the same files are copied"
_TIME_INSIDE = "logs and caches have the time in them"
_ONE_ID = "a RUN can give files to any user, by sub-IDs"

ACCEPTED: tuple[Accepted, ...] = (
    Accepted(_ALL, "config Labels", _LABEL),
    Accepted(_WITH_RUN, "/(etc/(hostname|hosts|resolv.conf)|proc|sys) path", _LEFT_BEHIND),
    Accepted(_WITH_RUN, "/run mtime_ns", _LEFT_BEHIND),
    Accepted(
        ("heredocs", "onbuild", "targets", "metadata", "special-files"),
        "/etc mtime_ns",
        _LEFT_BEHIND,
    ),
    Accepted(("secrets-and-caches",), "/(run/secrets|var/cache/made) path", _LEFT_BEHIND),
    Accepted(("secrets-and-caches",), "/(srv|var/cache|opt) mtime_ns", _LEFT_BEHIND),
    Accepted(("python-app",), "/opt mtime_ns", _LEFT_BEHIND),
    Accepted(("users",), "/srv mtime_ns", _LEFT_BEHIND),
    Accepted(("secrets-and-caches",), "config (history|layers)", _NO_LAYER),
    Accepted(
        ("python-app", "onbuild", "users", "metadata", "copies"),
        "config (history|layers)",
        _WORKDIR,
    ),
    Accepted(("metadata",), "/nowhere(/yet)? path", _WORKDIR),
    Accepted(("users",), "/home/app/work/shallow [ug]id", _WORKDIR),
    Accepted(("metadata",), "/(data|logs|with space|srv/state) path", _VOLUME),
    Accepted(("metadata",), "/srv mtime_ns", _VOLUME),
    Accepted(("metadata",), "/data/kept path", _LOST),
    Accepted(("metadata",), "config ExposedPorts", _PORTS),
    Accepted(
        ("c-program", "heredocs", "archives", "copies"),
        "/(usr/share/doc|usr/local/lib|usr/lib|srv|etc) mtime_ns",
        _FOLDER_TIMES,
    ),
    Accepted(
        ("heredocs",),
        "/(srv/site/index.html|usr/local/lib/site/(notes.txt|run.sh)) mtime_ns",
        _HEREDOCS,
    ),
    Accepted(
        _WITH_APT,
        "/var/(log/(alternatives|dpkg|apt/(history|term)).log"
        "|cache/(ldconfig/aux-cache|apt/(src)?pkgcache.bin)) contents",
        _TIME_INSIDE,
    ),
    Accepted(
        _WITH_APT,
        "/var/(cache/apt/archives/partial uid|log/apt/term.log gid)",
        _ONE_ID,
        "single-id",
    ),
    Accepted(("secrets-and-caches",), "/etc/token-mode contents", _ONE_ID, "single-id"),
    Accepted(("targets",), "/from/renamed [ug]id", _ONE_ID, "single-id"),
    Accepted(("special-files",), "/(tree|copied)/link [ug]id", _ONE_ID, "single-id"),
    Accepted(("copies",), "/srv/real [ug]id", _ONE_ID, "single-id"),
    Accepted(
        ("users",),
        "/(etc/g?shadow-|home/app(/.demo|/work)?|srv(/plain)?|tmp/said) [ug]id",
        _ONE_ID,
        "single-id",
    ),
)


def rows(case: str, id_map: str) -> list[Accepted]:
    """Return the rows about a case."""
    return [row for row in ACCEPTED if case in row.cases and row.id_map in ("", id_map)]


def differences(expected: Shown, found: Shown, began_ns: int) -> Iterator[str]:
    """Yield `PATH FIELD: …` and `config KEY: …` lines for all that two images do not agree in.

    A time is the same, in whole seconds where the judge has kept no more, or both are later than
    the tests' beginning: what a build made itself.
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
        if a == b or (field == "mtime_ns" and _is_same_time(a, b, began_ns)):
            continue
        shown = (oct(a), oct(b)) if field == "mode" else (repr(a), repr(b))
        if field == "size" and stat.S_ISREG(left.mode) and stat.S_ISREG(right.mode):
            continue  # the contents say it
        yield f"{name} {field}: expected {shown[0]}, found {shown[1]}"


def _is_same_time(expected: int, found: int, began_ns: int) -> bool:
    if not expected % 10**9:
        found -= found % 10**9
        began_ns -= began_ns % 10**9
    return expected == found or (expected >= began_ns and found >= began_ns)


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
