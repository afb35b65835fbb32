"""An archive that goes by once: a pipe, or one that is compressed as a whole.

Small members are kept in memory; a large one is taken for a layer and ingested as it passes, before
anybody knows whether a manifest names it. So nothing has to be spooled and read again, and the
order of the members does not matter.
"""

import io
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from rootless.errors import IntegrityError
from rootless.image.byte_stream import ByteStream, Prefixed, Source, drain, read_up_to
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.progress import Progress
from rootless.image.source import follow, too_large
from rootless.image.store import Store
from rootless.image.tar_members import Member, members
from rootless.oci.digest import Digest
from rootless.oci.document import MAX_CONFIG_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SMALL = 1 << 20
_MAX_SMALL = 32 << 20  # kept in memory; further layers are ingested, however small
_MAX_KEPT = 256 << 20
_LAYER_NAME = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.tar)?")


class ArchiveStream:
    """An archive that goes by once.

    Args:
        store: Where layers go.
        what: What the user called it.
        known_layer: Returns the diff ID of the layer of the store with a digest, compressed or not.
    """

    def __init__(
        self, store: Store, what: str, known_layer: Callable[[Digest], Digest | None]
    ) -> None:
        self._store = store
        self._what = what
        self._known_layer = known_layer
        self._members: dict[str, Member] = {}
        self._kept: dict[str, bytes] = {}
        self._kept_bytes = 0
        self._layers: dict[str, StagedLayer] = {}
        self._faults: dict[str, IntegrityError] = {}
        self._diff_ids: dict[str, Digest] = {}  # of layers passed over or handed out

    @property
    def what(self) -> str:
        """What the user called it."""
        return self._what

    def read(self, raw: ByteStream, progress: Progress) -> None:
        """Take the whole archive in; call once, before all else."""
        stream = _Forward(raw, self._what)
        for member in members(stream, self._what):
            self._forget(member.name)
            self._members[member.name] = member
            if not member.link:
                self._take(member, stream, progress)
        drain(raw)  # a writer whose pipe was closed early would end with an error

    def document(self, name: str, limit: int) -> bytes | None:
        """Return a member that was kept."""
        member = follow(self._members, name)
        if member is None:
            return None
        if member.size > limit or member.name not in self._kept:
            raise too_large(name, member.size, limit)
        return self._kept[member.name]

    def layer(self, name: str, expected: Expected, progress: Progress) -> StagedLayer | None:
        """Return a layer that went by, or ingest one that was kept."""
        member = follow(self._members, name)
        if member is None:
            return None
        if member.name in self._faults:
            raise self._faults[member.name]
        if member.name in self._diff_ids:
            raise IntegrityError("wrong diff ID", name, f"it is {self._diff_ids[member.name]}")
        staged = self._layers.pop(member.name, None)
        if staged is None:
            kept = io.BytesIO(self._kept[member.name])
            return ingest(self._store, kept, name, expected, progress.advance)
        self._diff_ids[member.name] = staged.diff_id
        try:
            expected.check(staged, name)
        except IntegrityError:
            staged.close()
            raise
        return staged

    def close(self) -> None:
        """Remove the layers that nobody asked for."""
        for staged in self._layers.values():
            staged.close()
        self._layers.clear()

    def _take(self, member: Member, stream: "_Forward", progress: Progress) -> None:
        content = _MemberContent(stream, member.size)
        first = content.read(1) or b""
        is_document = first in (b"{", b"[") and member.size <= MAX_CONFIG_BYTES
        if is_document or (member.size <= _SMALL and self._kept_bytes <= _MAX_SMALL):
            self._keep(member, first, content)
            return
        known = self._known(member.name)
        if known is not None:
            self._diff_ids[member.name] = known
            return
        progress.layer(member.name, member.size)
        whole = Prefixed(first, content)
        try:
            expected = Expected(_digest_in(member.name))
            layer = ingest(self._store, whole, member.name, expected, progress.advance)
        except IntegrityError as error:  # perhaps no layer at all, and nobody will ask for it
            self._faults[member.name] = error
            return
        self._layers[member.name] = layer

    def _forget(self, name: str) -> None:
        """Drop an earlier member of that name, as an extraction would."""
        staged = self._layers.pop(name, None)
        if staged is not None:
            staged.close()
        self._kept_bytes -= len(self._kept.pop(name, b""))
        self._faults.pop(name, None)
        self._diff_ids.pop(name, None)

    def _keep(self, member: Member, first: bytes, content: ByteStream) -> None:
        self._kept_bytes += member.size
        if self._kept_bytes > _MAX_KEPT:
            raise IntegrityError("archive holds too many documents", self._what)
        self._kept[member.name] = first + read_up_to(content, member.size)

    def _known(self, name: str) -> Digest | None:
        match = _LAYER_NAME.fullmatch(name)
        return self._known_layer(Digest("sha256:" + match[1])) if match else None


def _digest_in(name: str) -> Digest | None:
    """Return the digest that an OCI layout's file must have by its name."""
    match = _LAYER_NAME.fullmatch(name)
    return Digest(f"sha256:{match[1]}") if match and name.startswith("blobs/") else None


class _Forward:
    """A stream with a position, for `members` and for who reads a member's content.

    That one may be left behind, waiting for a pipe, while `members` goes on. What it then still
    gets is counted, and none of it lies beyond its member: hence the lock.
    """

    def __init__(self, raw: ByteStream, what: str) -> None:
        self._raw = raw
        self._what = what
        self._position = 0
        self._lock = threading.Lock()

    def read_exactly(self, size: int) -> bytes:
        data = read_up_to(self._raw, size)
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position

    def seek_forward(self, position: int) -> None:
        size = max(0, min(position - self._position, 1 << 20))
        unread = bytearray(size)
        while self.readinto_before(position, unread):
            pass

    def readinto_before(self, end: int, buffer: "WriteableBuffer") -> int:
        """Read on, not beyond a position; return 0 there."""
        view = memoryview(buffer)
        with self._lock:
            want = max(0, min(len(view), end - self._position))
            if want == 0:
                return 0
            n = self._raw.readinto(view[:want]) or 0
            if n == 0:
                raise IntegrityError("archive ends early", self._what)
            self._position += n
            return n


class _MemberContent(Source):
    """The content of the member that a stream has come to."""

    def __init__(self, stream: _Forward, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._end = stream.tell() + size

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return self._stream.readinto_before(self._end, buffer)
