"""Where a COPY takes things from: the context, another stage, an image, a here-document.

All answer the same questions by paths relative to their root, and nobody follows a link but
`resolve`, inside the root. Links that are absolute begin at the root, as in a container.
"""

import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from rootless.build.ignore import Ignore
from rootless.errors import InvalidInput
from rootless.image.sparse_map import SparseMap

_STEP = 1 << 20

LINKS_MAX = 40
"""How many links are followed on the way of one path, as the kernel has it."""
ROOT = b""
MADE_NOW = -(1 << 63)
"""Time of what the build itself makes: that at which it does."""


class Node(NamedTuple):
    """One object of a source.

    Attributes:
        path: Relative to the source's root, no slash at either end; empty for the root.
        mode: Type and permissions, as `st_mode` has them.
        uid: Owner, as the image is to have it.
        gid: Group, likewise.
        size: Length of a regular file.
        mtime_ns: Time of last modification.
        rdev: Device number.
        target: Of a symbolic link.
        identity: The same for all names of one file; None for one with a single name.
        stamp: Changes whenever the object does; the time of its last change at its end.
        origin: What the source itself needs to open it.
    """

    path: bytes
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime_ns: int = 0
    rdev: int = 0
    target: bytes = b""
    identity: tuple[int, int] | None = None
    stamp: tuple[int, ...] = ()
    origin: object = None

    @property
    def name(self) -> bytes:
        """The last part of its path."""
        return self.path.rpartition(b"/")[2]


@dataclass(frozen=True, slots=True)
class Contents:
    """A file or folder that is open.

    Attributes:
        size: Length of a regular file; 0 for a folder.
        xattrs: Extended attributes that go into an image.
        holes: Where there is data, if not everywhere.
        read: Returns so many bytes from an offset on; fewer only where the file has shrunk.
    """

    size: int
    xattrs: Mapping[bytes, bytes]
    holes: SparseMap | None = None
    read: Callable[[int, int], bytes] = field(default=lambda _offset, _size: b"")

    @property
    def stored(self) -> int:
        """How many bytes `chunks` yields."""
        return self.size if self.holes is None else self.holes.stored

    def chunks(self) -> Iterator[bytes]:
        """Yield what the file holds, without its holes.

        Raises:
            InvalidInput: It became shorter meanwhile.
        """
        for start, length in ((0, self.size),) if self.holes is None else self.holes.extents:
            position, end = start, start + length
            while position < end:
                chunk = self.read(position, min(_STEP, end - position))
                if not chunk:
                    raise InvalidInput("file changed while it was read")
                position += len(chunk)
                yield chunk


class CopySource(Protocol):
    """What things are copied out of."""

    @property
    def what(self) -> str:
        """What people call it."""

    @property
    def keeps_owners(self) -> bool:
        """Whether owners and set-ID bits are the image's: of a context they are the host's."""

    @property
    def fingerprint(self) -> bytes:
        """Tells one state of the source from any other; empty where only its objects can tell."""

    @property
    def ignore(self) -> Ignore:
        """What in it is kept away from the build."""

    def lookup(self, path: bytes) -> Node | None:
        """Return the object at a path, none of whose parts is a link but perhaps the last."""

    def children(self, folder: Node) -> list[Node]:
        """Return what is in a folder, by name."""

    def open(self, node: Node) -> AbstractContextManager[Contents]:
        """Give the contents of a regular file, and the attributes of that or a folder.

        Raises:
            InvalidInput: It is not what it was when it was looked up.
            NotFound: It cannot be read.
        """


def resolve(source: CopySource, path: bytes, *, last: bool = True) -> Node | None:
    """Return the object at a path, links followed inside the source; None where there is none.

    Args:
        source: What to look in.
        path: Relative to its root, or absolute, which is the same.
        last: Whether a link at the end is followed too.

    Raises:
        InvalidInput: `..` or a link leads out of it, or links lead in a circle.
    """
    trail: list[bytes] = []
    node = source.lookup(ROOT)
    rest = path_parts(path)
    followed = 0
    while rest:
        name = rest.pop()
        if name == b"..":
            if not trail:
                raise InvalidInput(f"leads out of {source.what}")
            trail.pop()
            node = None
            continue
        here = b"/".join((*trail, name))
        node = source.lookup(here)
        if node is None:
            return None
        if stat.S_ISLNK(node.mode) and (rest or last):
            followed += 1
            if followed > LINKS_MAX:
                raise InvalidInput("links lead in a circle")
            if node.target.startswith(b"/"):
                trail = []
            rest += path_parts(node.target)
            node = None
            continue
        trail.append(name)
    return source.lookup(b"/".join(trail)) if node is None else node


def path_parts(path: bytes) -> list[bytes]:
    """Return the parts of a path, the first one last."""
    return [part for part in reversed(path.split(b"/")) if part not in (b"", b".")]
