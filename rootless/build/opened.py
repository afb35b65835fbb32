"""What a build reads of the host's: the Containerfile, and the context when a step wants it."""

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rootless.build.containerfile import MAX_BYTES, Instruction
from rootless.build.request import STANDARD_INPUT, BuildRequest
from rootless.errors import InvalidInput, NotFound, RootlessError
from rootless.image.standard_input import piped
from rootless.image.store import Store

if TYPE_CHECKING:
    from typing import BinaryIO

    from rootless.build.context import Context
    from rootless.build.copy_source import CopySource

_NAMES = ("Containerfile", "Dockerfile")
_BLOCK = 512  # of a tar, with its magic


@dataclass(frozen=True, slots=True)
class Containerfile:
    """Its bytes, and what people call it."""

    data: bytes
    name: str


class Opened:
    """The files of a build.

    Args:
        store: Keeps an archive that is the context, meanwhile.
        request: What was asked for.
        owned: Gets what is to be closed.
    """

    def __init__(self, store: Store, request: BuildRequest, owned: ExitStack) -> None:
        self._store = store
        self._request = request
        self._owned = owned
        self._context: Context | None = None
        self._head = b""
        self._beside = ""
        self.folder = request.context if os.path.isdir(request.context) else ""

    def containerfile(self) -> Containerfile:
        """Return the Containerfile; raises NotFound, InvalidInput, IntegrityError."""
        given = self._request.containerfile
        if given == STANDARD_INPUT:
            return Containerfile(_standard_input().read(MAX_BYTES + 1), "standard input")
        for path in _candidates(given, self.folder):
            data = _read(path)
            if data is not None:
                self._beside = path
                return Containerfile(data, path)
        if self._request.context == STANDARD_INPUT and not self._is_archive():
            data, self._head = self._head + _standard_input().read(MAX_BYTES), b""
            return Containerfile(data, "standard input")
        return self._in_archive()

    def source(self) -> "CopySource":
        """Return what COPY reads, without what the ignore file keeps away; raises as `opened`."""
        return self._opened().source()

    def _is_archive(self) -> bool:
        """Tell whether standard input is one, or a lone Containerfile."""
        from rootless.image.decompress import compression_of  # noqa: PLC0415 - seldom asked

        while len(self._head) < _BLOCK:
            piece = os.read(_standard_input().fileno(), _BLOCK - len(self._head))  # and no more
            if not piece:
                break
            self._head += piece
        return self._head[257:262] == b"ustar" or bool(compression_of(self._head))

    def _in_archive(self) -> Containerfile:
        given = self._request.containerfile
        if not self.folder:
            for name in (given,) if given else _NAMES:
                data = self._opened().read(name, MAX_BYTES)
                if data is not None:
                    return Containerfile(data, name)
        if given:
            raise NotFound("no such Containerfile", given)
        fix = "there is neither Containerfile nor Dockerfile; -f names another"
        raise NotFound("no Containerfile in the context", self._request.context, fix)

    def _opened(self) -> "Context":
        if self._context is None:
            from rootless.build.context import opened  # noqa: PLC0415 - where a step copies

            request = self._request
            if request.context == STANDARD_INPUT and not self._is_archive():
                raise InvalidInput("there is no context, but a lone Containerfile", "-")
            self._context = self._owned.enter_context(
                opened(
                    *(self._store, request.context),
                    ignorefile=request.ignorefile,
                    containerfile=self._beside,
                    head=self._head,
                )
            )
        return self._context


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


def _standard_input() -> "BinaryIO":
    piped("nothing to build", "pipe a file in")
    return sys.stdin.buffer


def _candidates(given: str, folder: str) -> list[str]:
    """Return where the Containerfile may lie."""
    folders = [folder] if folder else []
    if given:
        own = [given, *(os.path.join(each, given) for each in folders)]
        return [*own, *(os.path.join(each, name) for each in own for name in _NAMES)]
    return [os.path.join(each, name) for each in folders for name in _NAMES]


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise RootlessError(f"cannot read: {error.strerror}", path) from error
