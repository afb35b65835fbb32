"""The layer of a COPY, made while it is read: nothing lies anywhere in between.

The same things give the same bytes, but for the time of folders that had to be made.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootless.build.arrangement import Planned
from rootless.build.copy_source import MADE_NOW, Contents, CopySource, Node
from rootless.build.standing import Standing
from rootless.image.member_header import Member, header, padding
from rootless.image.upper_layer import refuse_whiteout

if TYPE_CHECKING:
    from collections.abc import Generator


_MADE_MODE = stat.S_IFDIR | 0o755
_SET_ID = stat.S_ISUID | stat.S_ISGID


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the instruction says of everything that it copies.

    Attributes:
        owner: UID and GID; None for those of the source, root's for folders that are made.
        chmod: Permissions of what is copied; None for the source's.
        now_ns: The time of what is made: folders, here-documents.
        latest_ns: No file is younger; None for as it is.
    """

    owner: tuple[int, int] | None
    chmod: int | None
    now_ns: int
    latest_ns: int | None = None

    def owner_of(self, node: Node | None) -> tuple[int, int]:
        """Return whose it becomes."""
        if self.owner is not None:
            return self.owner
        return (0, 0) if node is None else (node.uid, node.gid)

    def mode_of(self, node: Node, *, keeps_set_id: bool) -> int:
        """Return type and permissions that it gets."""
        if stat.S_ISLNK(node.mode):
            return node.mode
        if self.chmod is not None:
            return stat.S_IFMT(node.mode) | self.chmod
        return node.mode if keeps_set_id else node.mode & ~_SET_ID

    def clamped(self, mtime_ns: int) -> int:
        """Return a file's time, or the latest that there may be."""
        if mtime_ns == MADE_NOW:
            mtime_ns = self.now_ns
        return mtime_ns if self.latest_ns is None else min(mtime_ns, self.latest_ns)


def copied_chunks(
    planned: Sequence[Planned], attributes: Attributes, standing: Standing
) -> "Generator[bytes, None, None]":
    """Yield the members of a layer, without the end.

    Args:
        planned: What it has.
        attributes: What the instruction says of all of it.
        standing: Gives the folders that it lies in.

    Raises:
        InvalidInput: A name cannot be in a layer, or a file changed while it was read.
        NotFound: A file cannot be read.
    """
    linked: dict[tuple[int, tuple[int, int]], bytes] = {}
    for each in planned:
        node, source = each.node, each.source
        refuse_whiteout(each.path)
        yield from standing.above(each.path)
        if node is None or source is None:
            yield made_folder(each.path, attributes)
            continue
        first = b""
        if node.identity is not None:
            first = linked.setdefault((id(source), node.identity), each.path)
        link = first if first != each.path else b""
        if not link and (stat.S_ISREG(node.mode) or stat.S_ISDIR(node.mode)):
            with source.open(node) as contents:
                yield from _opened(each.path, node, contents, source, attributes)
            continue
        yield header(_member(each.path, node, source, attributes, link=link))


def _opened(
    path: bytes, node: Node, contents: Contents, source: CopySource, attributes: Attributes
) -> Iterator[bytes]:
    """Yield a file or a folder."""
    member = _member(path, node, source, attributes, contents=contents)
    yield header(member, contents.holes)
    if stat.S_ISREG(node.mode):
        yield from contents.chunks()
        yield padding(contents.stored)


def _member(
    path: bytes,
    node: Node,
    source: CopySource,
    attributes: Attributes,
    *,
    contents: Contents | None = None,
    link: bytes = b"",
) -> Member:
    uid, gid = attributes.owner_of(node)
    return Member(
        path=os.fsdecode(path),
        mode=attributes.mode_of(node, keeps_set_id=source.keeps_owners),
        uid=uid,
        gid=gid,
        mtime_ns=attributes.clamped(node.mtime_ns),
        size=contents.size if contents is not None else 0,
        target=os.fsdecode(node.target),
        rdev=node.rdev,
        xattrs=contents.xattrs if contents is not None else {},
        link=os.fsdecode(link),
    )


def made_folder(path: bytes, attributes: Attributes) -> bytes:
    """Return a folder that is made because something goes into it."""
    uid, gid = attributes.owner_of(None)
    mtime_ns = attributes.clamped(MADE_NOW)
    return header(Member(os.fsdecode(path), _MADE_MODE, uid, gid, mtime_ns))
