"""What the commands that prune have in common: the question, the filters, what is in use."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from rootless.containers import record as records
from rootless.containers.times import parse_moment, parse_time
from rootless.errors import InvalidInput

if TYPE_CHECKING:
    from rootless.image.names import Image
    from rootless.paths import Paths


BUILDS = "what builds keep for the next one"
"""What a question says of the build cache."""


def confirmed(what: Sequence[str], *, force: bool) -> bool:
    """Ask a person at a terminal whether this may go; a script has said so by its call."""
    if force or not sys.stdin.isatty():
        return True
    listed = "\n".join(f"  - {each}" for each in what)
    return typer.confirm(f"This removes:\n{listed}\nGo on?", err=True)


def in_use(paths: "Paths") -> set[str]:
    """Return the IDs of the images that containers were made from, those that run among them."""
    return {record.image.config_digest for record in records.all_records(paths)}


def moment(filters: Sequence[str]) -> int | None:
    """Return the time, in nanoseconds, before which a thing was made that `until=` means."""
    values = [text.partition("=")[2] for text in filters if text.partition("=")[0] == "until"]
    return min((parse_moment(value, time.time_ns()) for value in values), default=None)


def moment_alone(filters: Sequence[str]) -> int | None:
    """Return what `moment` does, where `until=` is the only filter; raises InvalidInput."""
    for text in filters:
        if not text.startswith("until="):
            raise InvalidInput("not a filter", text, "until=TIME is the only one")
    return moment(filters)


def wanted_images(filters: Sequence[str]) -> Callable[["Image"], bool]:
    """Return whether an image is meant: all filters must hold; raises InvalidInput."""
    until = moment(filters)
    labels = []
    for text in filters:
        key, equals, value = text.partition("=")
        if key in ("label", "label!") and equals and value:
            labels.append((key == "label", *value.partition("=")))
        elif key != "until":
            raise InvalidInput("not a filter", text, "until=TIME, label=KEY[=VALUE] or label!=…")

    def wanted(image: "Image") -> bool:
        if until is not None and not _is_before(image.created, until):
            return False
        have = image.config.labels
        return all(
            (name in have and (not equals or have[name] == value)) is is_to_be
            for is_to_be, name, equals, value in labels
        )

    return wanted


def _is_before(created: str, until: int) -> bool:
    try:
        return parse_time(created) < until
    except ValueError:  # without a time it may be of any
        return False
