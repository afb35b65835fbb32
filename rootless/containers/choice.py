"""Which containers a command is for: those that are named, or all, or the last, or by filters."""

from dataclasses import dataclass
from pathlib import Path

from rootless.containers import listing
from rootless.containers import record as records
from rootless.containers.record import Record
from rootless.containers.status import look
from rootless.errors import InvalidInput, NotFound
from rootless.paths import Paths

_MAX_ID_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user said; one of these.

    Attributes:
        words: Names and IDs.
        everything: All.
        latest: The one that was made last.
        filters: Those for which they hold.
        id_files: Files that hold an ID each, as `--cidfile` of `run` writes them.
    """

    words: tuple[str, ...] = ()
    everything: bool = False
    latest: bool = False
    filters: tuple[str, ...] = ()
    id_files: tuple[str, ...] = ()


def the_one(word: str, *, latest: bool) -> str:
    """Return the container that a command for one of them is for; raises as `chosen`."""
    if bool(word) == latest:
        raise InvalidInput("which container", word, "give its name, or --latest")
    return chosen(Choice((word,) if word else (), latest=latest))[0]


def chosen(choice: Choice, *, alive: bool | None = None) -> list[str]:
    """Return the containers that are meant; raises InvalidInput, NotFound.

    Args:
        choice: What was said.
        alive: Of all, and of those by filters, only those that run, or that do not.
    """
    named = (*choice.words, *map(_id_in, choice.id_files))
    if sum(map(bool, (named, choice.everything, choice.latest, choice.filters))) != 1:
        fix = "give NAME..., or one of --all, --latest, --filter, where there is such an option"
        raise InvalidInput("which containers", fix=fix)
    if named:
        return list(named)
    paths = Paths.from_environment()
    if choice.filters:
        found = [each.record for each in listing.listed(choice.filters, everything=True)]
    else:
        found = records.all_records(paths)
    if choice.latest:
        if not found:
            raise NotFound("there is no container")
        return [found[-1].name]
    return [each.name for each in found if alive in (None, _is_alive(paths, each))]


def _is_alive(paths: Paths, record: Record) -> bool:
    return look(paths, record).is_alive


def _id_in(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MAX_ID_BYTES).decode("ascii", "replace").strip()
    except FileNotFoundError as error:
        raise NotFound("no such file", path) from error
    except OSError as error:
        raise InvalidInput(f"cannot read the file: {error.strerror}", path) from error
    if not text:
        raise InvalidInput("the file holds no container's ID", path)
    return text
