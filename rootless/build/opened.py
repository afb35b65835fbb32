"""The Containerfile of a build, found and read."""

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rootless.build.containerfile import MAX_BYTES, Instruction
from rootless.build.request import STANDARD_INPUT, BuildRequest
from rootless.errors import NotFound
from rootless.image.source import read_error

if TYPE_CHECKING:
    from rootless.build.copy_source import CopySource

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


def with_base(instructions: tuple[Instruction, ...], base: str) -> tuple[Instruction, ...]:
    """Return them with another image in the first FROM; as they are where *base* is ""."""
    if not base:
        return instructions
    found = list(instructions)
    for number, each in enumerate(found):
        if each.keyword == "FROM":
            found[number] = replace(each, words=(base, *each.words[1:]))
            break
    return tuple(found)


def context(request: BuildRequest, file: str) -> "CopySource":
    """Return the context, without what its ignore file keeps away; raises NotFound, InvalidInput.

    Args:
        request: What was asked for.
        file: The Containerfile, which may have an ignore file of its own.
    """
    from rootless.build.context_folder import ContextFolder  # noqa: PLC0415 - many builds have none
    from rootless.build.ignore import NAMES, Ignore  # noqa: PLC0415

    candidates = [f"{file}{name}" for name in NAMES]
    candidates += [os.path.join(request.context, name) for name in NAMES]
    if request.ignorefile:
        candidates = [request.ignorefile]
    for path in candidates:
        try:
            with open(path, "rb") as opened:
                return ContextFolder(request.context, Ignore(opened.read(MAX_BYTES), path))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise read_error(path, error) from error
    if request.ignorefile:
        raise NotFound("no such ignore file", request.ignorefile)
    return ContextFolder(request.context, Ignore())


def _candidates(request: BuildRequest) -> list[str]:
    given = request.containerfile
    folders = [request.context] if not given else [given, os.path.join(request.context, given)]
    found = [os.path.join(folder, name) for folder in folders for name in _NAMES]
    return [*folders, *found] if given else found
