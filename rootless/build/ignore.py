r"""What a .dockerignore or .containerignore keeps away from a build.

One pattern a line (`wildcards`), relative to the context's root; `#` at the start of a line is a
comment; `!` takes back what lines before it took away; the last line that matches counts. What
matches a folder matches all that is in it. Source: Docker's documentation of .dockerignore.
"""

import os
import posixpath
import re
from dataclasses import dataclass

from rootless.build.wildcards import has_wildcards, pattern
from rootless.errors import InvalidInput

NAMES = (".containerignore", ".dockerignore")
"""Where a context has its own, the first that is there."""


@dataclass(frozen=True, slots=True)
class _Line:
    expression: re.Pattern[str]
    literal: str  # what every match of it begins with
    takes_back: bool


class Ignore:
    """The lines of an ignore file; without any it keeps nothing away.

    Args:
        data: The file.
        name: What it is called, for messages.

    Raises:
        InvalidInput: A pattern is none.
    """

    def __init__(self, data: bytes = b"", name: str = "") -> None:
        self._lines = tuple(_lines(data, name))
        self._exceptions = tuple(line for line in self._lines if line.takes_back)

    @classmethod
    def of(cls, patterns: tuple[str, ...]) -> "Ignore":
        """Return what a list of patterns keeps away; raises InvalidInput."""
        return cls(os.fsencode("\n".join(patterns)))

    def matches(self, path: bytes) -> bool:
        """Return whether a path is kept away; never the root."""
        if not self._lines or not path:
            return False
        text = os.fsdecode(path)
        parents = [text]
        while parent := posixpath.dirname(parents[-1]):
            parents.append(parent)
        result = False
        for line in self._lines:
            # what changes nothing need not be tried
            if line.takes_back == result and any(map(line.expression.fullmatch, parents)):
                result = not result
        return result

    def may_include_below(self, folder: bytes) -> bool:
        """Return whether a line may take back something in a folder that is kept away."""
        if not self._exceptions:
            return False
        text = os.fsdecode(folder) + "/"
        return any(
            line.literal.startswith(text) or text.startswith(line.literal)
            for line in self._exceptions
        )


def _lines(data: bytes, name: str) -> list[_Line]:
    found = []
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or raw.startswith("#"):
            continue
        takes_back = line.startswith("!")
        meant = posixpath.normpath(line[1:].strip() if takes_back else line)
        clean = meant.lstrip("/")
        if clean in ("", "."):
            continue
        try:
            found.append(_Line(pattern(clean), _literal(clean), takes_back))
        except ValueError as error:
            where = f"{name}:{number}: {line}" if name else line
            raise InvalidInput("not a pattern", where, str(error)) from error
    return found


def _literal(text: str) -> str:
    """Return the folders that a pattern begins with, before the first that has a wildcard."""
    kept: list[str] = []
    for part in text.split("/"):
        if has_wildcards(part):
            return "".join(f"{each}/" for each in kept)
        kept.append(part)
    return text
