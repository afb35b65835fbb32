"""Changes to an `aliases.toml` that leave its comments and its order alone."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from rootless import toml_file
from rootless.alias.definition import ALIASES, NATIVE, WHAT, Alias
from rootless.errors import InvalidInput, StoreError
from rootless.replace_file import replace_file


def add(file: Path, alias: Alias) -> None:
    """Write an alias's table in place of the one of that name."""
    document = _read(file)
    aliases = document.setdefault(ALIASES, tomlkit.table(is_super_table=True))
    made = tomlkit.table()
    made["image"] = alias.image
    if alias.command != (alias.name,):
        made["command"] = list(alias.command)
    if alias.shell:
        made["shell"] = alias.shell
    if NATIVE not in alias.options:
        made[NATIVE] = False
    for name, value in alias.options.items():
        if (name, value) != (NATIVE, True):
            made[name] = list(value) if isinstance(value, tuple) else value
    aliases[alias.name] = made
    write(file, tomlkit.dumps(document).encode())


def remove(file: Path, names: Iterable[str]) -> None:
    """Take tables out."""
    document = _read(file)
    aliases = document.get(ALIASES, {})
    for name in names:
        if name in aliases:
            del aliases[name]
    write(file, tomlkit.dumps(document).encode())


def set_images(file: Path, images: Mapping[str, str]) -> bytes:
    """Name the images of aliases otherwise, those that are still there; return what was written."""
    document = _read(file)
    aliases: Any = document.get(ALIASES, {})
    for name in images.keys() & aliases.keys():
        aliases[name]["image"] = images[name]
    data = tomlkit.dumps(document).encode()
    write(file, data)
    return data


def write(file: Path, data: bytes) -> None:
    """Write a file whole, in the place of the one that is there; raises StoreError."""
    target = Path(os.path.realpath(file))  # a link, of somebody's dotfiles, stays one
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        replace_file(target, data, mode)
    except OSError as error:
        raise StoreError(f"cannot write {WHAT}: {error.strerror}", str(file)) from error


def _read(file: Path) -> Any:
    data = toml_file.read(file, WHAT)
    try:
        document = tomlkit.parse(data or b"")
    except (TOMLKitError, ValueError) as error:
        raise InvalidInput(f"{WHAT} are not TOML", f"{file}: {error}") from error
    if not isinstance(document.get(ALIASES, tomlkit.table()), Table | dict):
        raise InvalidInput("wrong setting", f"{file}: {ALIASES}", "it must be a table")
    return document
