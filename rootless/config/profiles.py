"""Profiles: `[profiles.NAME]` tables of options, from the files that have a say, nearest first.

    [profiles.dev]                  # ~/.config/rootless/config.toml, or a project's .rootless.toml
    image = "docker.io/library/python:3.13"
    command = ["pytest", "-x"]
    native = true
    env = { CI = "1" }

In the order of their word: the `.rootless.toml` of the folder or of the next one above it, where it
is trusted; the user's settings; the machine's. An option comes out of the first one that has it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rootless import settings, toml_file
from rootless.config.option_values import (
    Options,
    Value,
    fault,
    is_name,
    table,
    text,
    value_of,
)
from rootless.config.relative_paths import from_folder
from rootless.config.trust import State, Trust, refusal
from rootless.errors import InvalidInput, NotFound
from rootless.paths import Paths

PROJECT_FILE = ".rootless.toml"
PROFILES = "profiles"
IMAGE, COMMAND = "image", "command"
_WHAT = "the project's settings"
_NOT_IN_PROFILES = frozenset(("profile", "bundle"))


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is there.

    Attributes:
        file: Its path.
        data: What it says.
        is_project: It belongs to a project.
        state: Whether it counts.
    """

    file: Path
    data: bytes
    is_project: bool
    state: State = State.TRUSTED


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and the file that it is from."""

    value: Value
    origin: Path


Profile = Mapping[str, Setting]
"""Its settings by option; `image` and `command` beside them."""


def sources(paths: Paths, folder: Path) -> list[Source]:
    """Return the files that are there, the nearest first.

    Args:
        paths: Where the user's and the machine's settings are.
        folder: Where a project's file is looked for, and in each folder above.
    """
    found = []
    project = find_project_file(folder)
    if project is not None:
        data = toml_file.read(project, _WHAT)
        if data is not None:
            state = Trust(paths.state).state_of(project, data)
            found.append(Source(project, data, is_project=True, state=state))
    for file in paths.settings:
        data = toml_file.read(file, settings.WHAT)
        if data is not None:
            found.append(Source(file, data, is_project=False))
    return found


def find_project_file(folder: Path) -> Path | None:
    """Return the project's file of a folder, or of the nearest one above it that has one."""
    for place in (folder, *folder.parents):
        file = place / PROJECT_FILE
        if file.is_file():
            return file
    return None


def load(found: list[Source], options: Options) -> dict[str, Profile]:
    """Return the profiles of those files that count; raises InvalidInput for the first fault."""
    merged: dict[str, dict[str, Setting]] = {}
    for source in found:
        if source.state is State.TRUSTED:
            for name, values in read_profiles(source, options):
                known = merged.setdefault(name, {})
                for option, value in values.items():
                    known.setdefault(option, Setting(value, source.file))
    return dict(merged)


def profile(found: list[Source], options: Options, name: str) -> Profile:
    """Return one profile.

    Raises:
        NotFound: There is none; near names are suggested.
        InvalidInput: A file has a fault, or the only one with this profile is not trusted.
    """
    known = load(found, options)
    if name in known:
        return known[name]
    for source in found:
        if source.state is not State.TRUSTED and name in _names(source):
            raise refusal(source.file, source.state)
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    near = get_close_matches(name, known) or sorted(known)
    fix = f"there are: {', '.join(near)}" if near else "'rootless config show' lists them"
    raise NotFound("no such profile", name, fix)


def read_profiles(source: Source, options: Options) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield the names and values of a file's profiles, each checked; raises InvalidInput."""
    document = _document(source)
    for name in document if source.is_project else ():
        if name != PROFILES:
            raise fault(source.file, name, f"a project's file has [{PROFILES}.NAME] only")
    for name, values in table(document.get(PROFILES, {}), source.file, PROFILES).items():
        place = f"{PROFILES}.{name}"
        if not is_name(name):
            raise fault(source.file, place, "a name has letters, digits and _ . + -")
        found = _values(table(values, source.file, place), options, source.file, place)
        if source.is_project:
            folder = source.file.parent
            found = {each: from_folder(each, value, folder) for each, value in found.items()}
        yield name, found


def _document(source: Source) -> dict[str, Any]:
    what = _WHAT if source.is_project else settings.WHAT
    return toml_file.parse(source.data, source.file, what)


def _names(source: Source) -> tuple[str, ...]:
    """Return the names of a file's profiles, where it does not count: no more of it is used."""
    try:
        return tuple(_document(source).get(PROFILES, {}))
    except (InvalidInput, TypeError):
        return ()


def _values(given: dict[str, Any], options: Options, file: Path, place: str) -> dict[str, Value]:
    known = {name: kind for name, kind in options.items() if name not in _NOT_IN_PROFILES}
    found: dict[str, Value] = {}
    for name, value in given.items():
        where = f"{place}.{name}"
        if name == IMAGE:
            found[name] = text(value, file, where)
        elif name == COMMAND:
            found[name] = words(value, file, where)
        else:
            found[name] = value_of(name, value, known, file, where)
    return found


def words(value: Any, file: Path, place: str) -> tuple[str, ...]:
    """Return a command's words; raises InvalidInput."""
    if not isinstance(value, list):
        raise fault(file, place, 'it must be an array of words: ["pytest", "-x"]')
    return tuple(text(word, file, f"{place}[{i}]") for i, word in enumerate(value))
