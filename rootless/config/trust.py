"""Which files of projects the user trusts: by their path and by what they say (sha256).

A project's file comes with somebody's repository, and may ask for the user's folders: nothing in it
counts before he has said so once, and again after each change. As direnv and mise have it.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from rootless import toml_file
from rootless.errors import InvalidInput, StoreError
from rootless.replace_file import replace_file

_NAME = "trusted.json"
_WHAT = "the trusted files"


class State(Enum):
    """Whether a file is trusted."""

    TRUSTED = "trusted"
    CHANGED = "changed since it was trusted"
    UNKNOWN = "not trusted"


class Trust:
    """What is remembered in a folder.

    Args:
        folder: `Paths.state`.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _NAME

    def state_of(self, path: Path, data: bytes) -> State:
        """Return whether a file with these contents is trusted."""
        known = self._read().get(os.path.realpath(path))
        if known is None:
            return State.UNKNOWN
        return State.TRUSTED if known == _digest(data) else State.CHANGED

    def add(self, path: Path, data: bytes) -> None:
        """Trust a file with these contents; raises StoreError."""
        self._write({**self._read(), os.path.realpath(path): _digest(data)})

    def remove(self, path: Path) -> bool:
        """Trust a file no more; False where it was not trusted."""
        known = dict(self._read())
        was_known = known.pop(os.path.realpath(path), None) is not None
        if was_known:
            self._write(known)
        return was_known

    def _read(self) -> Mapping[str, str]:
        data = toml_file.read(self._file, _WHAT)
        if data is None:
            return {}
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise InvalidInput("damaged", str(self._file), "remove it, and trust files anew")
        return document

    def _write(self, known: Mapping[str, str]) -> None:
        folder = self._file.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._file, json.dumps(known, indent=1).encode())
        except OSError as error:
            raise StoreError(f"cannot remember: {error.strerror}", str(self._file)) from error


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def refusal(path: Path, state: State) -> InvalidInput:
    """Return the error for a file that does not count."""
    fix = f"read it, then: rootless config trust {path}"
    return InvalidInput(f"the file is {state.value}", str(path), fix)
