"""A container's whole file system as one tar, read forwards: the tree, its tars and the upperdir.

Nothing is mounted or unpacked, and the same files give the same bytes. Owners are those of the
image: also IDs that the container's user namespace lacks. Sockets are left out.
"""

import logging
import os
import stat
from collections.abc import Iterator

from rootless.image.layers import Inode, TarContents, Untouched, UpperWalk
from rootless.image.member_header import END, Member, header, padding
from rootless.image.sparse_map import SparseMap
from rootless.image.upper_layer import UpperLayer, kept_xattrs, refuse_whiteout

log = logging.getLogger(__name__)

_CHUNK = 1 << 20


def merged_chunks(
    walk: UpperWalk, contents: TarContents, *, latest_ns: int | None = None, is_layer: bool = False
) -> Iterator[bytes]:
    """Yield the tar.

    Args:
        walk: The upperdir over its image's tree.
        contents: The layers' tars.
        latest_ns: No file is younger than this; None for as it is.
        is_layer: It becomes a layer, in which some names take others away.

    Raises:
        InvalidInput: A file changed while it was read, or a name cannot be in a layer.
        OSError: The upperdir or a layer cannot be read.
    """
    upper = UpperLayer(latest_ns)
    untouched = TreeMembers(walk, contents, upper)
    for each in walk.merged():
        if is_layer:
            refuse_whiteout(each.path)
        if isinstance(each, Untouched):
            yield from untouched.member(each)
        elif stat.S_ISSOCK(each.mode):
            log.debug("left out: %r, a socket", each.path)
        else:
            yield from upper.members(each)
    yield END


class TreeMembers:
    """Writes objects of a tree as members, and remembers their hard links.

    Args:
        walk: Over the tree.
        contents: The layers' tars.
        upper: Knows the latest time that there may be.
    """

    def __init__(self, walk: UpperWalk, contents: TarContents, upper: UpperLayer) -> None:
        self._walk = walk
        self._contents = contents
        self._upper = upper
        self._linked: dict[int, str] = {}

    def member(self, each: Untouched) -> Iterator[bytes]:
        """Yield an object's header and contents."""
        path, inode = os.fsdecode(each.path) or ".", each.inode
        link = ""
        if inode.nlink > 1 and not stat.S_ISDIR(inode.mode):
            link = self._linked.setdefault(inode.ino, path)
        holes = _holes(self._walk, inode)
        member = Member(
            path=path,
            mode=inode.mode,
            uid=inode.uid,
            gid=inode.gid,
            mtime_ns=self._upper.clamped(inode.mtime_ns),
            size=inode.size,
            target=os.fsdecode(inode.target),
            rdev=inode.rdev,
            xattrs=kept_xattrs(each.path, self._walk.xattrs_before(inode)),
            link=link if link != path else "",
        )
        yield header(member, None if member.link else holes)
        if stat.S_ISREG(inode.mode) and not member.link:
            yield from _file(self._walk, self._contents, inode, holes)


def _holes(walk: UpperWalk, inode: Inode) -> SparseMap | None:
    if not inode.sparse:
        return None
    return SparseMap.of(
        ((offset, length) for offset, length, _ in walk.extents_before(inode)), inode.size
    )


def _file(
    walk: UpperWalk, contents: TarContents, inode: Inode, holes: SparseMap | None
) -> Iterator[bytes]:
    extents = walk.extents_before(inode) if inode.sparse else ()
    for start, length in holes.extents if holes is not None else ((0, inode.size),):
        for offset in range(start, start + length, _CHUNK):
            yield contents.read(inode, extents, offset, min(_CHUNK, start + length - offset))
    yield padding(holes.stored if holes is not None else inode.size)
