"""Shims: small programs in a folder of the PATH, each one command line of `rootless run`.

A shim is a script of sh, as that starts fastest of what every host has, and ends in one execve(2).
It says in its second line what it is: only files that do are ever replaced or removed.
"""

import json
import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import Conflict, NotFound, StoreError
from rootless.replace_file import replace_file

_MARK = "# An alias of rootless, from "
_MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Shim:
    """A shim that is there.

    Attributes:
        path: The file.
        origin: The file that defines its alias.
        text: All of it.
    """

    path: Path
    origin: Path
    text: str

    @property
    def name(self) -> str:
        """Return the command's name."""
        return self.path.name

    @property
    def program(self) -> str:
        """Return the rootless that it starts."""
        words = shlex.split(self.text.splitlines()[2])
        return words[1]


def text_of(program: str, words: Sequence[str], origin: Path) -> str:
    """Return a shim.

    Args:
        program: The absolute path of rootless.
        words: Its words, before those of the caller.
        origin: The file that defines the alias.
    """
    line = " ".join(shlex.quote(word) for word in (program, *words))
    return f'#!/bin/sh\n{_MARK}{json.dumps(str(origin))}\nexec {line} "$@"\n'


def read(path: Path) -> Shim | None:
    """Return the shim that a file is; None where it is something else, or not there."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO would wait
        try:
            is_file = stat.S_ISREG(os.fstat(fd).st_mode)
            data = os.read(fd, _MAX_BYTES) if is_file else b""
        finally:
            os.close(fd)
    except OSError:
        return None
    text = data.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    if len(lines) < 3 or not lines[1].startswith(_MARK):
        return None
    try:
        origin = json.loads(lines[1].removeprefix(_MARK))
    except ValueError:
        return None
    return Shim(path, Path(str(origin)), text)


def installed(folder: Path) -> Iterator[Shim]:
    """Yield the shims of a folder, by name."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    for name in names:
        found = read(folder / name)
        if found is not None:
            yield found


def write(path: Path, text: str, origin: Path, *, force: bool = False) -> None:
    """Write a shim in the place of an older one.

    Raises:
        Conflict: The file is somebody else's, or the alias of another file, and not `force`.
        StoreError: It cannot be written.
    """
    if os.path.lexists(path) and not force:
        known = read(path)
        if known is None:
            raise Conflict(
                "there is another command of that name", str(path), "--force replaces it"
            )
        if known.origin != origin:
            fix = "--force takes it over"
            raise Conflict(f"the alias is defined in {known.origin}", path.name, fix)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode("utf-8", "surrogateescape"), 0o755)
    except OSError as error:
        raise StoreError(f"cannot write the command: {error.strerror}", str(path)) from error


def remove(path: Path) -> None:
    """Remove a shim; raises NotFound where there is none, Conflict where it is something else."""
    if not os.path.lexists(path):
        raise NotFound("no such alias", path.name, "'rootless alias list' shows them")
    if read(path) is None:
        raise Conflict("the command is no alias", str(path), "remove it yourself")
    path.unlink()
