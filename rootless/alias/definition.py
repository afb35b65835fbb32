"""`aliases.toml`: what each command runs, in which image, with which options.

    [aliases.node]
    image = "docker.io/library/node:22@sha256:…"
    command = ["node"]              # the alias's name, if left out; [] is the image's own
    env = ["NODE_ENV"]              # any option of `run`, by its name without the dashes
    share = ["home", "cwd", "tmp", "ssh-agent"]

The user's own file lies beside his config.toml; a project's is in its folder, checked in. `native`
is true unless it says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rootless import toml_file
from rootless.config.option_values import (
    Options,
    Value,
    fault,
    is_name,
    table,
    text,
    value_of,
)
from rootless.config.profiles import words
from rootless.config.relative_paths import from_folder
from rootless.errors import InvalidInput

FILE_NAME = "aliases.toml"
ALIASES = "aliases"
WHAT = "the aliases"
EVAL = "eval"
NATIVE = "native"

_NOT_ALIASES = ("rootless",)  # it would call itself
_NOT_IN_ALIASES = frozenset(("profile", "bundle", "detach", "name", "cidfile", "pidfile"))


@dataclass(frozen=True, slots=True)
class Alias:
    """A command that runs in an image.

    Attributes:
        name: What it is called.
        image: The image, as `run` takes it.
        command: Its words; empty for the image's own.
        options: Of `run`, by their names without the dashes.
        shell: EVAL where a shell is to evaluate what it prints; else "".
    """

    name: str
    image: str
    command: tuple[str, ...]
    options: Mapping[str, Value] = field(default_factory=dict)
    shell: str = ""

    @property
    def is_pinned(self) -> bool:
        """Tell whether the image is named by its digest."""
        return "@sha256:" in self.image


def read(file: Path, options: Options) -> dict[str, Alias]:
    """Return a file's aliases by name, none where it is not there.

    Args:
        file: The file; relative paths in it are counted from its folder.
        options: What options of `run` there are.

    Raises:
        InvalidInput: It has a fault; the place is in it.
        StoreError: It cannot be read.
    """
    data = toml_file.read(file, WHAT)
    return {} if data is None else parse(data, file, options)


def parse(data: bytes, file: Path, options: Options) -> dict[str, Alias]:
    """Return the aliases of a file's bytes; raises as `read`."""
    document = toml_file.parse(data, file, WHAT)
    for name in document:
        if name != ALIASES:
            raise fault(file, name, f"the file has [{ALIASES}.NAME] only")
    found = table(document.get(ALIASES, {}), file, ALIASES)
    return {name: _alias(name, value, file, options) for name, value in found.items()}


def check_name(name: str) -> str:
    """Return an alias's name; raises InvalidInput."""
    if not _is_alias_name(name):
        fix = "letters, digits and _ . + -, of a command that is not rootless itself"
        raise InvalidInput("not a name for an alias", name, fix)
    return name


def _is_alias_name(name: str) -> bool:
    return is_name(name) and name not in _NOT_ALIASES


def _alias(name: str, given: Any, file: Path, options: Options) -> Alias:
    place = f"{ALIASES}.{name}"
    if not _is_alias_name(name):
        raise fault(file, place, "a name has letters, digits and _ . + -, and is not rootless")
    allowed = {each: kind for each, kind in options.items() if each not in _NOT_IN_ALIASES}
    image, shell = "", ""
    command: tuple[str, ...] = (name,)
    values: dict[str, Value] = {NATIVE: True}
    for key, value in table(given, file, place).items():
        where = f"{place}.{key}"
        if key == "image":
            image = str(from_folder("image", text(value, file, where), file.parent))
        elif key == "command":
            command = words(value, file, where)
        elif key == "shell":
            shell = text(value, file, where)
            if shell != EVAL:
                raise fault(file, where, f'it must be "{EVAL}": a shell evaluates what it prints')
        else:
            values[key] = from_folder(key, value_of(key, value, allowed, file, where), file.parent)
    if not image:
        raise fault(file, place, 'it needs image = "NAME"')
    if values[NATIVE] is False:
        del values[NATIVE]
    return Alias(name, image, command, values, shell)
