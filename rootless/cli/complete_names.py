"""The names that exist, for completion: of images, containers, aliases and profiles.

Read straight from the files, with as few imports as can be; what cannot be read has no names.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rootless import settings, toml_file
from rootless.errors import RootlessError
from rootless.paths import Paths

_REF_NAME = "org.opencontainers.image.ref.name"
_UNNEEDED = ("localhost/", "docker.io/library/", "docker.io/")
_MOST_BYTES = 8 << 20

Found = list[tuple[str, str]]


def images(begun: str) -> Found:
    """Return the names of images, as short as they are understood, or in full where that fits."""
    paths = Paths.from_environment()
    stores = [paths.store]
    with contextlib.suppress(RootlessError):
        stores += settings.additional_stores(paths)
    full: list[str] = []
    for store in stores:
        for manifest in _list(_document(store / "index.json"), "manifests"):
            name = _dict(_dict(manifest).get("annotations")).get(_REF_NAME)
            if isinstance(name, str) and name:
                full.append(name)
    names = [
        name if begun and not _short(name).startswith(begun) else _short(name) for name in full
    ]
    return [(name, "image") for name in dict.fromkeys(names)]


def _short(name: str) -> str:
    for begin in _UNNEEDED:
        if name.startswith(begin):
            return name.removeprefix(begin)
    return name


def containers(_begun: str) -> Found:
    """Return the names of the containers that are there, with their images."""
    paths = Paths.from_environment()
    found = {}
    for folder in (paths.store / "containers", paths.runtime / "runs"):
        for container in _folders(folder):
            record = _dict(_document(container / "container.json"))
            name = record.get("name")
            if isinstance(name, str) and name:
                found[name] = str(_dict(record.get("image")).get("name") or "container")
    return list(found.items())


def aliases(_begun: str) -> Found:
    """Return the aliases of the user's file."""
    file = Paths.from_environment().settings[0].with_name("aliases.toml")
    return [
        (name, str(_dict(alias).get("image") or "alias"))
        for name, alias in _dict(_toml(file).get("aliases")).items()
    ]


def profiles(_begun: str) -> Found:
    """Return the profiles of the project, the user and the machine."""
    files = list(Paths.from_environment().settings)
    with contextlib.suppress(OSError):
        folder = Path(os.getcwd())
        near = (place / ".rootless.toml" for place in (folder, *folder.parents))
        files[:0] = [file for file in near if file.is_file()][:1]
    found: dict[str, str] = {}
    for file in files:
        for name in _dict(_toml(file).get("profiles")):
            found.setdefault(name, str(file))
    return list(found.items())


def _folders(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(folder)):
            yield folder / name


def _document(path: Path) -> Any:
    try:
        with open(path, "rb") as file:
            return json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None


def _toml(path: Path) -> dict[str, Any]:
    try:
        data = toml_file.read(path, "the file")
        return {} if data is None else toml_file.parse(data, path, "the file")
    except RootlessError:
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any, key: str) -> list[Any]:
    found = _dict(value).get(key)
    return found if isinstance(found, list) else []
