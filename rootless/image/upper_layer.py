"""An upperdir as one layer, read forwards: OCI image specification, layer.md, "Change Types".

Nothing is unpacked or copied: the tar is made while the upperdir is walked. The same upperdir gives
the same bytes. A layer that is merged over the image shows what the container saw, but for:

* sockets, which no tar holds: what such a one hid stays hidden;
* attributes of an overlay that was mounted inside the container (`user.overlay.*`), which the next
  overlay would take for its own; labels of this host.

A whiteout that hides nothing of the image goes, and so does a mark that makes a directory opaque
where the image has none. The root directory is a member where it is not as the image has it, any
other one also where something in it is not.
"""

import logging
import os
import stat
from collections.abc import Iterator, Mapping

from rootless.errors import InvalidInput
from rootless.image.layers import Changed, Hidden, UpperWalk
from rootless.image.member_header import END, Member, header, padding
from rootless.image.sparse_map import SparseMap, sparse_map

log = logging.getLogger(__name__)

WHITEOUT = b".wh."
_OPAQUE = b".wh..wh..opq"
_CHUNK = 1 << 20
_KEPT = (b"user.", b"security.", b"system.posix_acl_")
_LEFT_OUT = (
    *(b"user.overlay.", b"user.fuseoverlayfs.", b"user.containers."),
    *(b"security.selinux", b"security.SMACK64", b"security.apparmor", b"security.ima"),
    b"security.evm",
)


def layer_chunks(walk: UpperWalk, *, latest_ns: int | None = None) -> Iterator[bytes]:
    """Yield the tar of a layer; nothing but the end where nothing was changed.

    Args:
        walk: The upperdir over its image's tree.
        latest_ns: No file is younger than this; None for as it is.

    Raises:
        InvalidInput: A name cannot be in a layer, or a file changed while it was read.
        OSError: The upperdir cannot be read.
    """
    return UpperLayer(latest_ns).chunks(walk)


class UpperLayer:
    """Writes objects of an upperdir as members, and remembers their hard links.

    Args:
        latest_ns: No file is younger than this; None for as it is.
    """

    def __init__(self, latest_ns: int | None) -> None:
        self._latest_ns = latest_ns
        self._linked: dict[tuple[int, int], str] = {}

    def chunks(self, walk: UpperWalk) -> Iterator[bytes]:
        """Yield the whole tar of what was changed."""
        held: list[Changed] = []  # directories as they were: members once something below them is
        for each in walk.changes():
            while held and not each.path.startswith(held[-1].path + b"/"):
                held.pop()
            if isinstance(each, Hidden):
                if each.by_opaque:
                    continue
            elif _only_contains(each, walk):
                if each.path:
                    held.append(each)
                continue
            for folder in held:
                yield from self._layer_members(folder)
            held.clear()
            if isinstance(each, Hidden):
                yield self.mark(WHITEOUT, each.path)
            else:
                yield from self._layer_members(each)
        yield END

    def _layer_members(self, each: Changed) -> Iterator[bytes]:
        refuse_whiteout(each.path)
        if stat.S_ISSOCK(each.mode):
            log.debug("left out: %r, a socket", each.path)
            if each.covers:
                yield self.mark(WHITEOUT, each.path)
            return
        yield from self.members(each)
        if each.is_opaque:
            yield self.mark(_OPAQUE, each.path + b"/")

    def mark(self, mark: bytes, path: bytes) -> bytes:
        """Return an empty file that takes something away: mark and name in the path's folder."""
        parent, slash, name = path.rpartition(b"/")
        return header(Member(os.fsdecode(parent + slash + mark + name), stat.S_IFREG, 0, 0, 0))

    def members(self, each: Changed) -> Iterator[bytes]:
        """Yield an object of the upperdir: its header, and the contents of a file."""
        if each.identity is not None:
            first = self._linked.setdefault(each.identity, os.fsdecode(each.path))
            if first != os.fsdecode(each.path):
                yield header(self._member(each, link=first))
                return
        if not stat.S_ISREG(each.mode):
            yield header(self._member(each))
            return
        holes = sparse_map(each.fd, os.fstat(each.fd))
        size = holes.size if holes is not None else each.size
        yield header(self._member(each, size=size), holes)
        yield from file_contents(each, size, holes)

    def _member(self, each: Changed, *, size: int = 0, link: str = "") -> Member:
        return Member(
            path=os.fsdecode(each.path) or ".",
            mode=each.mode,
            uid=each.uid,
            gid=each.gid,
            mtime_ns=self.clamped(each.mtime_ns),
            size=size,
            target=os.fsdecode(each.target),
            rdev=each.rdev,
            xattrs=kept_xattrs(each.path, each.xattrs),
            link=link,
        )

    def clamped(self, mtime_ns: int) -> int:
        """Return a file's time, or the latest that there may be."""
        return mtime_ns if self._latest_ns is None else min(mtime_ns, self._latest_ns)


def _only_contains(each: Changed, walk: UpperWalk) -> bool:
    """Return whether an object is a directory that says nothing itself that the image does not."""
    is_merged = stat.S_ISDIR(each.mode) and each.covers and not each.is_opaque
    return is_merged and walk.is_as_before(each)


def kept_xattrs(path: bytes, xattrs: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return what an image may say of an object."""
    kept = {}
    for name, value in xattrs.items():
        if name.startswith(_KEPT) and not name.startswith(_LEFT_OUT):
            kept[name] = value
        else:
            log.debug("left out: attribute %r of %r", name, path)
    return kept


def refuse_whiteout(path: bytes) -> None:
    """Raise InvalidInput for a name that would take something away."""
    if path.rpartition(b"/")[2].startswith(WHITEOUT):
        raise InvalidInput(
            "name cannot be in an image",
            f"/{os.fsdecode(path)}",
            "in a layer .wh. marks what it takes away: rename the file",
        )


def file_contents(each: Changed, size: int, holes: SparseMap | None) -> Iterator[bytes]:
    """Yield a regular file's contents, whole blocks of them."""
    for offset, length in holes.extents if holes is not None else ((0, size),):
        end = offset + length
        while offset < end:
            chunk = os.pread(each.fd, min(_CHUNK, end - offset), offset)
            if not chunk:
                raise InvalidInput(
                    "file changed while it was read",
                    f"/{os.fsdecode(each.path)}",
                    "stop the container first, or try again",
                )
            offset += len(chunk)  # noqa: PLW2901 - how far it is read
            yield chunk
    yield padding(holes.stored if holes is not None else size)
