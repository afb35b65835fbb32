"""The settings: `config.toml` of the user and of the machine, the nearer one's word first.

    additional_stores = ["/sw/images"]      # absolute; read beside one's own store
    hpc_folders = ["/scratch", "/project"]  # absolute; what `run --hpc` brings along
    cdi_folders = ["/etc/cdi"]              # in place of /etc/cdi and /var/run/cdi
    gpu_driver_root = "/run/nvidia/driver"  # where NVIDIA's driver is, if not at /

Source: TOML 1.0. A file is read only where it is there; most have none.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rootless.errors import InvalidInput, StoreError
from rootless.paths import Paths

log = logging.getLogger(__name__)

_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What the files say; None where none of them says anything.

    Attributes:
        additional_stores: Stores to read beside one's own, in this order.
        hpc_folders: Folders of the site's that containers of jobs have.
        cdi_folders: Folders of CDI files, the later one's word first.
        gpu_driver_root: The root file system that has NVIDIA's driver.
    """

    additional_stores: tuple[Path, ...] | None = None
    hpc_folders: tuple[Path, ...] | None = None
    cdi_folders: tuple[Path, ...] | None = None
    gpu_driver_root: Path | None = None


def additional_stores(paths: Paths) -> tuple[Path, ...]:
    """Return the stores to read beside one's own: the environment's, else those of the settings.

    Raises InvalidInput, StoreError.
    """
    if paths.additional_stores is not None:
        return paths.additional_stores
    return load(paths.settings).additional_stores or ()


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
    try:
        with open(file, "rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise StoreError(f"cannot read the settings: {error.strerror}", str(file)) from error
    import tomllib  # noqa: PLC0415 - only who has a file pays for it

    try:
        if len(data) > _MAX_BYTES:
            raise InvalidInput("settings larger than a megabyte", str(file))
        document = tomllib.loads(data.decode())
    except ValueError as error:  # of TOML, or of UTF-8
        raise InvalidInput("the settings are not TOML", f"{file}: {error}") from error
    return _checked(document, file)


def _checked(document: Mapping[str, Any], file: Path) -> dict[str, Any]:
    known = {field.name for field in fields(Settings)}
    for name in document.keys() - known:  # of a newer version, or mistyped
        log.warning("%s: no setting is called %s", file, name)
    found: dict[str, Any] = {
        name: _folders(name, document[name], file)
        for name in ("additional_stores", "hpc_folders", "cdi_folders")
        if name in document
    }
    if "gpu_driver_root" in document:
        found["gpu_driver_root"] = _folders("gpu_driver_root", [document["gpu_driver_root"]], file)[
            0
        ]
    return found


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
