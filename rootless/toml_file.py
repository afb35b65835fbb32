"""A TOML file of a user's: read whole, bounded, with its name in every fault (TOML 1.0)."""

from pathlib import Path
from typing import Any

from rootless.errors import InvalidInput, StoreError

_MAX_BYTES = 1 << 20


def read(file: Path, what: str) -> bytes | None:
    """Return a file's bytes, None where it is not there.

    Args:
        file: The file.
        what: What it is, for errors: "the settings".

    Raises:
        InvalidInput: It is larger than a megabyte.
        StoreError: It cannot be read.
    """
    try:
        with open(file, "rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"cannot read {what}: {error.strerror}", str(file)) from error
    if len(data) > _MAX_BYTES:
        raise InvalidInput(f"{what} are larger than a megabyte", str(file))
    return data


def parse(data: bytes, file: Path, what: str) -> dict[str, Any]:
    """Return a file's document; raises InvalidInput where it is not TOML."""
    import tomllib  # noqa: PLC0415 - only who has a file pays for it

    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # of TOML, or of UTF-8
        raise InvalidInput(f"{what} are not TOML", f"{file}: {error}") from error
