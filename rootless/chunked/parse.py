"""A TOC's JSON becomes entries, every one of them checked.

The document is hostile until proven otherwise, even with the right digest: whoever made the image
made the digest too. Guaranteed of a `Toc`: paths are clean and each is there once; the chunks of a
file follow each other without gaps and add up to its size; every chunk has a digest and lies within
the contents of the blob, in bytes that it shares with another only where both say at which place.
"""

import json
import os
from collections.abc import Iterator

from rootless.chunked.chunk_ranges import Piece, chunks_of
from rootless.chunked.fields import Fields, name_bytes, number, sha256, text, time_ns, xattrs
from rootless.chunked.place import TocPlace
from rootless.chunked.toc import Chunk, EntryType, Kind, Toc, TocEntry
from rootless.errors import IntegrityError
from rootless.image.layers import checked_id, checked_target, clean_path

PREFETCH_LANDMARK = b".prefetch.landmark"
NO_PREFETCH_LANDMARK = b".no.prefetch.landmark"
LANDMARKS = (PREFETCH_LANDMARK, NO_PREFETCH_LANDMARK)

ENTRIES_MAX = 1_000_000
_OBJECTS_MAX = 2 * ENTRIES_MAX + 2  # an entry may have one for its extended attributes
_CHUNK_MAX = 256 << 20  # one is decoded in memory
_LAYER_MAX = 1 << 43  # file systems keep sparse files of 16 TiB
_MAJOR_MAX, _MINOR_MAX = (1 << 12) - 1, (1 << 20) - 1
_LINKS = (EntryType.SYMLINK, EntryType.HARD_LINK)
_DEVICES = (EntryType.CHARACTER_DEVICE, EntryType.BLOCK_DEVICE)
_ZEROS = "zeros"


def parse_toc(data: bytes, place: TocPlace, contents_end: int, what: str) -> Toc:
    """Return the TOC that *data*, the JSON, describes.

    Args:
        data: The JSON; its digest has been checked.
        place: Where it was found.
        contents_end: Where in the blob the contents end.
        what: The layer, for messages.

    Raises:
        IntegrityError: Something in it is wrong.
    """
    parser = _Parser(place.kind, what)
    entries = parser.entries(_entry_list(data, what))
    placed = chunks_of(parser.pieces, place.kind, contents_end, what)
    finished = tuple(parser.finish(entries, placed))
    return Toc(place.kind, place.digest, finished, contents_end, _prefetch_end(finished))


def _prefetch_end(entries: tuple[TocEntry, ...]) -> int:
    for entry in entries:
        if entry.path == PREFETCH_LANDMARK and entry.chunks:
            return entry.chunks[0].place
    return 0


def _entry_list(data: bytes, what: str) -> list[Fields]:
    # counted before they are made: an object takes twenty times the memory of its two characters
    if data.count(b"{") + data.count(b"[") > _OBJECTS_MAX:
        raise IntegrityError("table of contents has too many entries", what)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise IntegrityError("table of contents is not JSON", f"{what}: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("entries"), list):
        raise IntegrityError("table of contents has no entries", what)
    if document.get("version") != 1:
        raise IntegrityError("table of contents of an unknown version", what)
    entries: list[Fields] = document["entries"]
    if len(entries) > ENTRIES_MAX:
        raise IntegrityError("table of contents has too many entries", what)
    if not all(isinstance(fields, dict) for fields in entries):
        raise IntegrityError("table of contents has an entry that is no object", what)
    return entries


class _Parser:
    """Reads the entries one after the other; the pieces of files go into one list.

    Attributes:
        pieces: Every piece of every file.
    """

    def __init__(self, kind: Kind, what: str) -> None:
        self._kind = kind
        self._what = what
        self._seen: set[bytes] = set()
        self._total = 0
        self.pieces: list[Piece] = []

    def entries(self, raw: list[Fields]) -> list[tuple[TocEntry, int]]:
        """Return the entries, still without chunks, and where the pieces of each one begin."""
        entries: list[tuple[TocEntry, int]] = []
        open_file: TocEntry | None = None
        for position, fields in enumerate(raw):
            try:
                if fields.get("type") == "chunk":
                    self._add_piece(open_file, fields)
                    continue
                self._check_complete(open_file)
                entry = self._entry(fields)
                entries.append((entry, len(self.pieces)))
                is_file = entry.type is EntryType.FILE
                open_file = entry if is_file else None
                if entry.size:
                    self._add_piece(entry, fields, is_first=True)
            except ValueError as error:
                raise self._fault(str(error), position, fields) from None
        try:
            self._check_complete(open_file)
        except ValueError as error:
            raise self._fault(str(error), len(raw) - 1, raw[-1]) from None
        return entries

    def finish(
        self, entries: list[tuple[TocEntry, int]], chunks: list[Chunk]
    ) -> Iterator[TocEntry]:
        """Yield the entries with their chunks."""
        ends = [*(first for _, first in entries), len(chunks)][1:]
        for (entry, first), end in zip(entries, ends, strict=True):
            yield _with_chunks(entry, tuple(chunks[first:end])) if end > first else entry

    def _entry(self, fields: Fields) -> TocEntry:
        try:
            kind = EntryType(text(fields, "type"))
        except ValueError:
            raise ValueError("of an unknown type") from None
        if not text(fields, "name"):
            raise ValueError("without a name")
        path = clean_path(name_bytes(fields, "name"))
        if path in self._seen:
            raise ValueError("whose name is there twice")
        self._seen.add(path)
        size = number(fields, "size") if kind is EntryType.FILE else 0
        self._total += size
        if self._total > _LAYER_MAX:
            raise ValueError("with which the layer is larger than a file can be")
        rdev = 0
        if kind in _DEVICES:
            major, minor = (
                number(fields, "devMajor", _MAJOR_MAX),
                number(fields, "devMinor", _MINOR_MAX),
            )
            rdev = os.makedev(major, minor)
        return TocEntry(
            path=path,
            type=kind,
            mode=number(fields, "mode") & 0o7777,
            uid=checked_id(number(fields, "uid")),
            gid=checked_id(number(fields, "gid")),
            mtime_ns=time_ns(fields, "modtime"),
            size=size,
            target=_target(fields, kind),
            rdev=rdev,
            xattrs=xattrs(fields),
            chunks=(),
        )

    def _add_piece(self, file: TocEntry | None, fields: Fields, *, is_first: bool = False) -> None:
        if file is None:
            raise ValueError("that is a piece of no file")
        name = text(fields, "name")
        if not is_first and name and clean_path(name_bytes(fields, "name")) != file.path:
            raise ValueError(f"that is a piece of another file than {file.path!r}")
        done = 0
        if not is_first:
            if not self.pieces or not file.size:
                raise ValueError("that is a piece of an empty file")
            done = self.pieces[-1].file_end
        if number(fields, "chunkOffset") != done:
            raise ValueError("that does not follow the piece before it")
        size = number(fields, "chunkSize") or file.size - done
        if size > file.size - done or size <= 0:
            raise ValueError("whose pieces are longer than the file")
        is_zeros = text(fields, "chunkType") == _ZEROS
        if text(fields, "chunkType") not in ("", _ZEROS):
            raise ValueError("of an unknown chunkType")
        digest = sha256(fields, "chunkDigest")
        if not digest and is_first and size == file.size:
            digest = sha256(fields, "digest")
        if not digest and not is_zeros:
            raise ValueError("without a digest of its contents")
        inner = number(fields, "innerOffset")
        if inner + size > _CHUNK_MAX and not is_zeros:
            raise ValueError(f"with a piece of more than {_CHUNK_MAX >> 20} MiB")
        offset, end = number(fields, "offset"), number(fields, "endOffset")
        is_last = done + size == file.size
        self.pieces.append(Piece(done, size, offset, inner, is_zeros, digest, end, is_last))

    def _check_complete(self, file: TocEntry | None) -> None:
        if file is not None and file.size and self.pieces[-1].file_end != file.size:
            raise ValueError("that comes before all pieces of the file before it")

    def _fault(self, reason: str, position: int, fields: Fields) -> IntegrityError:
        name = fields.get("name")
        shown = f" {name[:200]!r}" if isinstance(name, str) else ""
        line = f"table of contents has an entry {reason}"
        return IntegrityError(line, f"{self._what}, entry {position + 1}{shown}")


def _target(fields: Fields, kind: EntryType) -> bytes:
    if kind not in _LINKS:
        return b""
    target = name_bytes(fields, "linkName")
    return checked_target(clean_path(target) if kind is EntryType.HARD_LINK else target)


def _with_chunks(entry: TocEntry, chunks: tuple[Chunk, ...]) -> TocEntry:
    return TocEntry(
        entry.path,
        entry.type,
        entry.mode,
        entry.uid,
        entry.gid,
        entry.mtime_ns,
        entry.size,
        entry.target,
        entry.rdev,
        entry.xattrs,
        chunks,
    )
