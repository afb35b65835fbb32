"""The Containerfile of a build, found and read."""

import os
import sys
from dataclasses import dataclass

from rootless.build.containerfile import MAX_BYTES
from rootless.build.request import STANDARD_INPUT, BuildRequest
from rootless.errors import NotFound
from rootless.image.source import read_error

_NAMES = ("Containerfile", "Dockerfile")


@dataclass(frozen=True, slots=True)
class Containerfile:
    """Its bytes, and what the user calls it."""

    data: bytes
    name: str


def containerfile(request: BuildRequest) -> Containerfile:
    """Return the Containerfile; raises NotFound."""
    if request.containerfile == STANDARD_INPUT:
        return Containerfile(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input")
    for path in _candidates(request):
        try:
            with open(path, "rb") as file:
                return Containerfile(file.read(MAX_BYTES + 1), path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except OSError as error:
            raise read_error(path, error) from error
    if request.containerfile:
        raise NotFound("no such Containerfile", request.containerfile)
    fix = "there is neither Containerfile nor Dockerfile; -f names another"
    raise NotFound("no Containerfile in the context", request.context, fix)


def _candidates(request: BuildRequest) -> list[str]:
    given = request.containerfile
    folders = [request.context] if not given else [given, os.path.join(request.context, given)]
    found = [os.path.join(folder, name) for folder in folders for name in _NAMES]
    return [*folders, *found] if given else found
