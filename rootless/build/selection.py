"""What the sources of a COPY mean: wildcards, links, folders, and what an ignore file keeps away.

As Docker and buildah have it: a link that is named is followed, one in a folder that is copied is
copied as a link; of a folder its contents are copied and not itself; sockets are left out.
"""

import os
import posixpath
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from rootless.build.copy_source import ROOT, CopySource, Node, resolve
from rootless.build.ignore import Ignore
from rootless.build.wildcards import has_wildcards, pattern
from rootless.errors import InvalidInput, NotFound


class Item(NamedTuple):
    """Something in a folder that is copied: its path below that, and the object."""

    path: bytes
    node: Node


@dataclass(frozen=True, slots=True)
class Picked:
    """One thing that is copied.

    Attributes:
        source: Where it is.
        name: What it is called where it goes into a folder.
        parents: With `--parents` the folders above it that are made too, the outermost first, and a
            folder itself.
        node: What it is, links followed.
        items: Of a folder what is in it, each folder before its contents.
        left_out: Paths of sockets.
    """

    source: CopySource
    name: bytes
    node: Node
    items: tuple[Item, ...] = ()
    parents: tuple[Item, ...] = ()
    left_out: tuple[bytes, ...] = field(default=())

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, whose contents are copied."""
        return stat.S_ISDIR(self.node.mode)


def check(source: CopySource, word: str, excludes: Ignore) -> None:
    """Raise what `pick` raises where there is nothing; folders are not read."""
    with _named(word):
        _wanted(source, word, excludes)


def pick(
    source: CopySource, word: str, excludes: Ignore, *, with_parents: bool = False
) -> list[Picked]:
    """Return what one source of a COPY means.

    Args:
        source: Where to look.
        word: A path, with wildcards or without.
        excludes: What `--exclude` leaves out of what is picked.
        with_parents: Remember the folders in which each thing lies.

    Raises:
        InvalidInput: It leads out of the source, or cannot be copied.
        NotFound: There is nothing, or nothing that may be copied.
    """
    with _named(word):
        return _picked(source, word, excludes, with_parents=with_parents)


@contextmanager
def _named(word: str) -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(error.what, error.on or word, error.fix) from error


def _picked(source: CopySource, word: str, excludes: Ignore, *, with_parents: bool) -> list[Picked]:
    pivot = _pivot(source, word) if with_parents else ROOT
    picked: list[Picked] = []
    for path, node in _wanted(source, word, excludes):
        name = path.rpartition(b"/")[2]
        is_folder = stat.S_ISDIR(node.mode)
        left_out: list[bytes] = []
        items = tuple(_below(source, node, excludes, left_out)) if is_folder else ()
        parents: tuple[Item, ...] = ()
        if with_parents:
            parents = tuple(
                _parents(source, path if is_folder else path.rpartition(b"/")[0], pivot)
            )
        picked.append(Picked(source, name, node, items, parents, tuple(left_out)))
    return picked


def _wanted(source: CopySource, word: str, excludes: Ignore) -> list[tuple[bytes, Node]]:
    """Return what a word means and nothing keeps away, each with its path: one at least."""
    found = _matches(source, word)
    if not found:
        raise NotFound(f"no such file in {source.what}", word)
    wanted: list[tuple[bytes, Node]] = []
    for path in found:
        node = _followed(source, path)
        is_folder = stat.S_ISDIR(node.mode)
        if source.ignore.matches(path) and not (
            is_folder and source.ignore.may_include_below(path)
        ):
            continue
        if is_folder or not excludes.matches(path.rpartition(b"/")[2]):
            wanted.append((path, node))
    if not wanted:
        by = "--exclude" if not source.ignore.matches(found[0]) else "the ignore file"
        raise NotFound(f"{by} keeps it away from the build", word)
    return wanted


def _pivot(source: CopySource, word: str) -> bytes:
    """Return the part of a path before `/./`, which `--parents` does not make."""
    before, is_there, _ = word.partition("/./")
    return _normal(source, before) if is_there else ROOT


def _matches(source: CopySource, word: str) -> list[bytes]:
    """Return the paths that a word means, in order; the last part of each may be a link."""
    found = [ROOT]
    for part in os.fsdecode(_normal(source, word)).split("/"):
        if part == "**":
            found = [each for start in found for each in _folders_from(source, start)]
        elif has_wildcards(part):
            expression = _expression(part, word)
            found = [
                child.path
                for start in found
                for child in _children_of(source, start)
                if expression.fullmatch(os.fsdecode(child.name))
            ]
        elif part:
            found = [posixpath.join(start, os.fsencode(part)) for start in found]
    return [path for path in dict.fromkeys(found) if resolve(source, path, last=False) is not None]


def _normal(source: CopySource, word: str) -> bytes:
    normal = posixpath.normpath(word.lstrip("/") or ".")
    if normal == ".." or normal.startswith("../"):
        raise InvalidInput(f"leads out of {source.what}", word)
    return os.fsencode("" if normal == "." else normal)


def _expression(part: str, word: str) -> re.Pattern[str]:
    try:
        return pattern(part)
    except ValueError as error:
        raise InvalidInput("not a pattern", word, str(error)) from error


def _children_of(source: CopySource, path: bytes) -> Iterator[Node]:
    """Yield what is in a folder, by the name that was given for that, which may be a link."""
    folder = resolve(source, path)
    if folder is not None and stat.S_ISDIR(folder.mode):
        for child in source.children(folder):
            yield child._replace(path=posixpath.join(path, child.name))


def _folders_from(source: CopySource, path: bytes) -> Iterator[bytes]:
    """Yield a folder and all folders below it, by way of no link."""
    yield path
    for child in _children_of(source, path):
        if stat.S_ISDIR(child.mode):
            yield from _folders_from(source, child.path)


def _followed(source: CopySource, path: bytes) -> Node:
    node = resolve(source, path)
    if node is None:
        link = resolve(source, path, last=False)
        to = os.fsdecode(link.target) if link is not None else "nothing"
        raise NotFound(f"a link to {to}, which is not in {source.what}", os.fsdecode(path))
    if stat.S_ISSOCK(node.mode):
        raise InvalidInput("a socket cannot be copied", os.fsdecode(path))
    return node


def _below(
    source: CopySource, folder: Node, excludes: Ignore, left_out: list[bytes]
) -> Iterator[Item]:
    """Yield what is in a folder and wanted, each folder before its contents, by name."""
    start = len(folder.path) + 1 if folder.path else 0
    waiting = source.children(folder)[::-1]
    while waiting:
        node = waiting.pop()
        is_folder = stat.S_ISDIR(node.mode)
        path = node.path[start:]
        patterns = ((source.ignore, node.path), (excludes, path))
        out = [(ignore, at) for ignore, at in patterns if ignore.matches(at)]
        if not out and stat.S_ISSOCK(node.mode):
            left_out.append(node.path)
        elif not out:
            yield Item(path, node)
        if is_folder and all(ignore.may_include_below(at) for ignore, at in out):
            waiting += source.children(node)[::-1]


def _parents(source: CopySource, folder: bytes, pivot: bytes) -> Iterator[Item]:
    """Yield a folder and those above it, down from the pivot, the outermost first."""
    parts = folder.split(b"/") if folder else []
    skipped = len(pivot.split(b"/")) if pivot else 0
    for count in range(skipped + 1, len(parts) + 1):
        node = resolve(source, b"/".join(parts[:count]))
        if node is not None:
            yield Item(b"/".join(parts[skipped:count]), node)
