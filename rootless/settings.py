"""The settings: `config.toml` of the user and of the machine, the nearer one's word first.

    additional_stores = ["/sw/images"]      # absolute; read beside one's own store
    keep_alive = 300                        # seconds that what makes a next start quick stays

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

KEEP_ALIVE = 300

_MAX_BYTES = 1 << 20
_MOST_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Settings:
    """What the files say; None where none of them says anything.

    Attributes:
        additional_stores: Stores to read beside one's own, in this order.
        keep_alive: Seconds that the namespace holder stays after its last use; 0 for none.
    """

    additional_stores: tuple[Path, ...] | None = None
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
    found: dict[str, Any] = {}
    if "additional_stores" in document:
        found["additional_stores"] = _stores(document["additional_stores"], file)
    if "keep_alive" in document:
        found["keep_alive"] = _seconds(document["keep_alive"], file)
    return found


def _seconds(value: Any, file: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_SECONDS:
        raise _fault(file, "keep_alive", "a number of seconds, up to a day; 0 for none")
    return value


def _stores(value: Any, file: Path) -> tuple[Path, ...]:
    name = "additional_stores"
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
