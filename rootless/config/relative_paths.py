"""Paths in a project's file: counted from its folder, wherever one stands below it; pure."""

import os
from pathlib import Path

from rootless.config.option_values import Value

_FILES = frozenset(("authfile", "env-file", "image", "overlay", "signature-policy", "verify-key"))
_HERE = (".", "..")
_SOURCES = ("src", "source")


def from_folder(name: str, value: Value, folder: Path) -> Value:
    """Return an option's value with relative paths of the host made absolute."""
    if isinstance(value, bool):
        return value
    if isinstance(value, tuple):
        return tuple(str(from_folder(name, each, folder)) for each in value)
    if name == "volume":
        source, colon, rest = value.partition(":")
        return f"{_joined(source, folder)}{colon}{rest}"
    if name == "mount":
        return ",".join(_item(item, folder) for item in value.split(","))
    if name in _FILES:
        is_name = name == "image" and not value.startswith(("./", "../"))
        return value if is_name else str(folder / os.path.expanduser(value))
    return value


def _item(item: str, folder: Path) -> str:
    key, equals, source = item.partition("=")
    return f"{key}={_joined(source, folder)}" if equals and key in _SOURCES else item


def _joined(source: str, folder: Path) -> str:
    is_relative = source in _HERE or ("/" in source and not source.startswith(("/", "~")))
    return os.path.normpath(folder / source) if is_relative else source
