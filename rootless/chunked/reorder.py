"""Some members of a tar first: those that a container is known to need at its start."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from rootless.chunked.tar_parts import BLOCK, TarParts
from rootless.image.byte_stream import ByteStream, Source
from rootless.image.layers import HARD_LINK

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GLOBAL_HEADER = b"g"
_TYPE_AT = 156


class Sections(Source):
    """Pieces of a file one after the other, as a stream.

    Args:
        file: The file.
        sections: Begin and end of each piece.
    """

    def __init__(self, file: BinaryIO, sections: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self._file = file
        self._sections = list(reversed(sections))
        self._position = self._end = 0

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read what is left of the present piece, as far as there is room."""
        while self._position == self._end:
            if not self._sections:
                return 0
            self._position, self._end = self._sections.pop()
            self._file.seek(self._position)
        view = memoryview(buffer)
        data = self._file.read(min(len(view), self._end - self._position))
        if not data:
            self._sections, self._position = [], self._end
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


@dataclass(frozen=True, slots=True)
class _Span:
    """A member: where it stands in the file, with its headers, and what must come before it."""

    path: bytes
    link: bytes
    begin: int
    end: int


def prioritized_first(
    tar: BinaryIO, prioritized: Sequence[bytes], what: str
) -> tuple[Sections, int]:
    """Return the tar with these members in front, and how many those are.

    With each come its parent directories and what it is a hard link to. A member that is there
    twice stays where it is. So does everything in a tar with a global header, whose attributes are
    those of all that follow.

    Args:
        tar: The tar, a file that can be read from any place.
        prioritized: Paths, the most important first; one that it does not have is passed over.
        what: The layer, for messages.

    Raises:
        IntegrityError: It is not a valid layer.
    """
    spans, tail = _spans(tar, what)
    first = _first(spans, prioritized)
    moved = set(first)
    rest = [(each.begin, each.end) for each in spans if each not in moved]
    return Sections(tar, [*((each.begin, each.end) for each in first), *rest, tail]), len(first)


def _spans(tar: BinaryIO, what: str) -> tuple[list[_Span], tuple[int, int]]:
    """Return the members, none where there is a global header, and what follows them."""
    start = position = tar.tell()
    spans = []
    is_movable = True
    parts = TarParts(cast("ByteStream", tar), what)
    for part in parts:
        begin = position
        position += len(part.head) + part.stored + -part.stored % BLOCK
        link = part.entry.target if part.entry.flags & HARD_LINK else b""
        spans.append(_Span(part.entry.path, link, begin, position))
        is_movable = is_movable and part.head[_TYPE_AT : _TYPE_AT + 1] != _GLOBAL_HEADER
    end = tar.seek(0, os.SEEK_END)
    return (spans, (position, end)) if is_movable else ([], (start, end))


def _first(spans: Sequence[_Span], prioritized: Sequence[bytes]) -> list[_Span]:
    counts = Counter(each.path for each in spans)
    known = {each.path: each for each in spans if counts[each.path] == 1}
    first: dict[bytes, _Span] = {}
    for path in prioritized:
        needed = [path]
        while needed:  # what must come before comes last in it, and is taken first
            name = needed[-1]
            span = known.get(name)
            before = [] if span is None else _before(span, known, first, needed)
            if before:
                needed += before
                continue
            needed.pop()
            if span is not None:
                first.setdefault(name, span)
    return list(first.values())


def _before(
    span: _Span, known: dict[bytes, _Span], first: dict[bytes, _Span], needed: Sequence[bytes]
) -> list[bytes]:
    """Return what has to come before a member and is not there yet."""
    wanted = [span.link] if span.link else []
    if span.path:
        wanted.append(span.path.rpartition(b"/")[0])  # the last is taken first
    return [each for each in wanted if each in known and each not in first and each not in needed]
