"""The settings: `config.toml` of the user and of the machine, the nearer one's word first.

    additional_stores = ["/sw/images"]      # absolute; read beside one's own store
    keep_alive = 300                        # seconds that what makes a next start quick stays
    hpc_folders = ["/scratch", "/project"]  # absolute; what `run --hpc` brings along
    cdi_folders = ["/etc/cdi"]              # in place of /etc/cdi and /var/run/cdi
    gpu_driver_root = "/run/nvidia/driver"  # where NVIDIA's driver is, if not at /
    [profiles.NAME]                         # options of `run`: see `rootless.config.profiles`

Source: TOML 1.0. A file is read only where it is there; most have none.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rootless.errors import InvalidInput
from rootless.paths import Paths

log = logging.getLogger(__name__)

KEEP_ALIVE = 300

_MOST_SECONDS = 86400
WHAT = "the settings"
_ELSEWHERE = ("profiles",)  # read by `rootless.config`, where it is asked for


@dataclass(frozen=True, slots=True)
class Settings:
    """What the files say; None where none of them says anything.

    Attributes:
        additional_stores: Stores to read beside one's own, in this order.
        hpc_folders: Folders of the site's that containers of jobs have.
        cdi_folders: Folders of CDI files, the later one's word first.
        gpu_driver_root: The root file system that has NVIDIA's driver.
        keep_alive: Seconds that the namespace holder stays after its last use; 0 for none.
    """

    additional_stores: tuple[Path, ...] | None = None
    hpc_folders: tuple[Path, ...] | None = None
    cdi_folders: tuple[Path, ...] | None = None
    gpu_driver_root: Path | None = None
    keep_alive: int | None = None


def additional_stores(paths: Paths) -> tuple[Path, ...]:
    """Return the stores to read beside one's own: the environment's, else those of the settings.

    Raises InvalidInput, StoreError.
    """
    if paths.additional_stores is not None:
        return paths.additional_stores
    return load(paths.settings).additional_stores or ()


def keep_alive(paths: Paths) -> int:
    """Return how long a namespace holder stays after its last use, in seconds; 0 for none.

    Raises InvalidInput, StoreError.
    """
    found = load(paths.settings).keep_alive
    return KEEP_ALIVE if found is None else found


def load(files: Sequence[Path]) -> Settings:
    """Return what the files say, the first of them first; one that is not there says nothing.

    Raises:
        InvalidInput: One is not TOML, or a value is not what it must be; the path of the fault is
            in it.
        StoreError: One cannot be read.
    """
    values: dict[str, Any] = {}
    for file in files:
        for name, value in _read(file).items():
            values.setdefault(name, value)
    return Settings(**values)


def _read(file: Path) -> dict[str, Any]:
    if not os.path.lexists(file):
        return {}
    from rootless import toml_file  # noqa: PLC0415 - only who has a file pays for it

    data = toml_file.read(file, WHAT)
    return {} if data is None else _checked(toml_file.parse(data, file, WHAT), file)


def _checked(document: Mapping[str, Any], file: Path) -> dict[str, Any]:
    known = {field.name for field in fields(Settings)}
    for name in document.keys() - known - set(_ELSEWHERE):  # of a newer version, or mistyped
        log.warning("%s: no setting is called %s", file, name)
    found: dict[str, Any] = {
        name: _folders(name, document[name], file)
        for name in ("additional_stores", "hpc_folders", "cdi_folders")
        if name in document
    }
    for name in {"gpu_driver_root"} & document.keys():
        (found[name],) = _folders(name, [document[name]], file)
    if "keep_alive" in document:
        found["keep_alive"] = _seconds(document["keep_alive"], file)
    return found


def _seconds(value: Any, file: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_SECONDS:
        raise _fault(file, "keep_alive", "a number of seconds, up to a day; 0 for none")
    return value


def _folders(name: str, value: Any, file: Path) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise _fault(file, name, "an array of folders")
    paths = []
    for position, text in enumerate(value):
        if not isinstance(text, str) or not text.startswith("/"):
            raise _fault(file, f"{name}[{position}]", "an absolute path")
        paths.append(Path(text))
    return tuple(paths)


def _fault(file: Path, place: str, what: str) -> InvalidInput:
    return InvalidInput("wrong setting", f"{file}: {place}", f"it must be {what}")
