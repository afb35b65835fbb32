"""An archive that ADD unpacks: its members go into the layer as they stream by.

Owners, permissions and times are the archive's, set-ID bits too, as an unpacked root file system
needs them. What would take something away in a layer is refused.
"""

import os
import posixpath
import stat
import tarfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rootless.build.copy_layer import Attributes, made_folder
from rootless.build.copy_source import Contents
from rootless.build.destination import Destination
from rootless.build.standing import Standing
from rootless.errors import IntegrityError, RootlessError
from rootless.image.byte_stream import Source, read_up_to
from rootless.image.decompress import opened
from rootless.image.layers import HARD_LINK, SPARSE, Entry, Extent, TarFormatError, TarReader
from rootless.image.member_header import Member, header, padding
from rootless.image.sparse_map import SparseMap
from rootless.image.upper_layer import kept_xattrs, refuse_whiteout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 512
_STEP = 1 << 20

_Queued = tuple[Entry, Mapping[bytes, bytes], Sequence[Extent]]


class _Stream(Source):
    """A file's contents, read forwards."""

    def __init__(self, contents: Contents) -> None:
        super().__init__()
        self._contents = contents
        self._at = 0

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        want = min(len(view), self._contents.size - self._at)
        data = self._contents.read(self._at, want) if want else b""
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def is_archive(contents: Contents) -> bool:
    """Return whether a file is a tar, plain or compressed."""
    try:
        with opened(_Stream(contents), "") as stream:
            block = read_up_to(stream, _BLOCK)
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (IntegrityError, tarfile.HeaderError):
        return False
    return True


def archive_chunks(contents: Contents, what: str, unpacking: "Unpacking") -> Iterator[bytes]:
    """Yield an archive's members as members of a layer.

    Args:
        contents: The archive, compressed or not.
        what: What it is, for messages.
        unpacking: Where they go.

    Raises:
        IntegrityError: The archive is damaged or hostile.
        InvalidInput: A name cannot be in a layer.
    """
    try:
        with opened(_Stream(contents), what) as stream:
            while chunk := stream.read(_STEP):
                yield from unpacking.feed(chunk)
        unpacking.finish()
    except TarFormatError as error:
        raise IntegrityError("the archive is damaged", f"{what}: {error}") from error


class Unpacking:
    """Goes through one archive.

    Args:
        folder: Where in the image its members go.
        destination: The image so far.
        attributes: Of folders that are made; the latest time of all.
        standing: Gives the folders of the image that they lie in.
    """

    def __init__(
        self, folder: bytes, destination: Destination, attributes: Attributes, standing: Standing
    ) -> None:
        self._standing = standing
        self._folder = folder
        self._destination = destination
        self._attributes = attributes
        self._queue: deque[_Queued] = deque()
        self._reader = TarReader(lambda *queued: self._queue.append(queued))
        self._fed = 0  # bytes of the tar before the chunk
        self._is_begun = False  # the first of the queue has its header written
        self._copied_to = 0  # up to where its contents are
        self._folders = {b"": folder}  # of the archive: where each is in the image

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take the next bytes of the tar, and yield what can be written."""
        self._reader.feed(chunk)
        while self._queue:
            entry, xattrs, extents = self._queue[0]
            holes = _holes(entry, extents)
            stored = _stored(entry, holes)
            if not self._is_begun:
                yield from self._headers(entry, xattrs, holes)
                self._is_begun, self._copied_to = True, entry.offset
            end = entry.offset + stored
            piece = chunk[self._copied_to - self._fed : max(0, end - self._fed)]
            if piece and self._copied_to < end:
                yield piece
                self._copied_to += len(piece)
            if self._copied_to < end:
                break
            yield padding(stored)
            self._queue.popleft()
            self._is_begun = False
        self._fed += len(chunk)

    def finish(self) -> None:
        """Say that the archive is complete; raises TarFormatError where it is not."""
        self._reader.finish()

    def _headers(
        self, entry: Entry, xattrs: Mapping[bytes, bytes], holes: SparseMap | None
    ) -> Iterator[bytes]:
        """Yield a member's header, after those of folders that it needs."""
        parent, _, name = entry.path.rpartition(b"/")
        if entry.path:
            yield from self._require(parent)
        path = self._where(parent, name)
        refuse_whiteout(path)
        yield from self._standing.above(path)
        if stat.S_ISDIR(entry.mode) or stat.S_ISLNK(entry.mode):
            self._folders[entry.path] = path  # below a link of its own it is where that leads
        link = b""
        if entry.flags & HARD_LINK:
            link = self._where(*os.path.split(entry.target))
        member = Member(
            path=os.fsdecode(path) or ".",
            mode=entry.mode,
            uid=entry.uid,
            gid=entry.gid,
            mtime_ns=self._attributes.clamped(entry.mtime_ns),
            size=entry.size,
            target="" if link else os.fsdecode(entry.target),
            rdev=entry.rdev,
            xattrs={} if link else kept_xattrs(path, xattrs),
            link=os.fsdecode(link),
        )
        yield header(member, holes)

    def _where(self, parent: bytes, name: bytes) -> bytes:
        folder = self._folders.get(parent)
        if folder is None:  # a link to what is not in the archive
            folder = posixpath.join(self._folder, parent)
        return posixpath.join(folder, name).rstrip(b"/")

    def _require(self, parent: bytes) -> Iterator[bytes]:
        """Find out where a folder is that the archive has no member for; make it where it is not.

        A link of the image is followed, as everybody does who unpacks an archive there.
        """
        if parent in self._folders:
            return
        above, _, name = parent.rpartition(b"/")
        yield from self._require(above)
        path = posixpath.join(self._folders[above], name)
        try:
            place = self._destination.resolve(path)
        except RootlessError:
            place = None
        if place is not None and place.is_folder:
            self._folders[parent] = place.path
            return
        self._folders[parent] = path
        refuse_whiteout(path)
        yield from self._standing.above(path)
        yield made_folder(path, self._attributes)


def _holes(entry: Entry, extents: Sequence[Extent]) -> SparseMap | None:
    if not entry.flags & SPARSE:
        return None
    return SparseMap.of(((offset, length) for offset, length, _ in extents), entry.size)


def _stored(entry: Entry, holes: SparseMap | None) -> int:
    if holes is not None:
        return holes.stored
    return entry.size if stat.S_ISREG(entry.mode) and not entry.flags & HARD_LINK else 0
