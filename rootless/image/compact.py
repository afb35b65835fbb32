"""Layers whose tar gives way to its compressed form, and the way back.

Half the room, or less; what is read is decoded as it is read (`fuse.coded_layer`). Layer by layer:

1. The tar is compressed in chunks into a blob of its own, with a chunk table. Where the layer came
   compressed and that was kept, both are there already (`seek_points`).
2. All of it is decoded again: the result must be the tar, by digest.
3. The table gets its name, and the tar goes. Who has the tar open reads on.

Killed at any moment, the layer is there as a tar, compressed, or as both, of which the tar counts.
"""

import hashlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rootless.errors import IntegrityError, StoreError
from rootless.image import forms, lock, names
from rootless.image.coded_chunks import coded_chunks, threads
from rootless.image.forms import Form
from rootless.image.layers import (
    ChunkTable,
    ChunkTableWriter,
    CodedLayer,
    DamagedChunk,
    DecodedChunks,
)
from rootless.image.progress import Progress, Silent
from rootless.image.seek_points import KEPT
from rootless.image.store import Store, TempFile, write_all
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest, hex_of, parse_digest

LEVEL = 9
"""zstd's: half the speed of its 3, and a tenth smaller; decoding is as fast."""

_WORTH = 0.95
"""A tar that does not shrink below that part of itself stays."""

_REPAIR = "rootless store verify --repair"
_CHUNK = 1 << 20
_UNKNOWN = Digest("sha256:unknown")


class Result(StrEnum):
    """What became of a layer."""

    COMPRESSED = "compressed"
    RESTORED = "restored"
    AS_IT_WAS = "as it was"
    NOT_SMALLER = "would not be smaller"
    ELSEWHERE = "in another store"
    NOT_ALL_THERE = "not all there yet"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one layer.

    Attributes:
        diff_id: The layer.
        result: What was done, or would be.
        tar: Bytes of its tar.
        stored: Bytes that it takes now; 0 where nobody knows before it is tried.
    """

    diff_id: Digest
    result: Result
    tar: int
    stored: int


def layers_of(store: Store, wanted: Sequence[str]) -> list[Digest]:
    """Return the layers of images, each once; of all images where none is named.

    Raises NotFound, InvalidInput, Conflict, and StoreError for a damaged list of images.
    """
    entries = [entry for name in wanted for entry in names.find_own(store, name)]
    if not wanted:
        entries = list(names.entries(store))
    found: dict[Digest, None] = {}
    for entry in entries:
        found.update(dict.fromkeys(names.read_image(store, entry).config.diff_ids))
    return list(found)


def compact(
    store: Store,
    diff_ids: Sequence[Digest],
    *,
    undo: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Iterator[Outcome]:
    """Compress layers, or restore their tars; yields what became of each.

    Raises:
        NotFound: A layer is missing.
        IntegrityError: It is damaged; it is left as it is.
        StoreError: The store cannot take it.
    """
    told = progress or Silent()
    for diff_id in diff_ids:
        with (
            lock.shared(store.lock_path(lock.STORE_LOCK)),
            lock.exclusive(store.lock_path(f"layer-{hex_of(diff_id)}")),
        ):
            place = forms.find(store, diff_id)
            size = forms.size_of(store, diff_id)
            done = Form.TAR if undo else Form.CODED
            if not place.contents.is_relative_to(store.root):
                yield Outcome(diff_id, Result.ELSEWHERE, size, size)
            elif place.form is Form.LAZY:
                yield Outcome(diff_id, Result.NOT_ALL_THERE, size, 0)
            elif place.form is done:
                if undo and not dry_run:
                    _drop(store.coded_path(diff_id))  # what a killed command has left
                yield Outcome(diff_id, Result.AS_IT_WAS, size, _stored(place))
            elif dry_run:
                result = Result.RESTORED if undo else Result.COMPRESSED
                yield Outcome(diff_id, result, size, size if undo else 0)
            else:
                told.layer(hex_of(diff_id), size)
                one = _restore if undo else _compress
                yield one(store, diff_id, place, told.advance)


def _stored(place: forms.Place) -> int:
    """Return how many bytes a layer takes."""
    with explain(place.contents):
        if place.form is Form.TAR:
            return place.contents.stat().st_size
        with ChunkTable(place.contents) as table:
            return place.contents.stat().st_size + os.stat(table.data).st_size


def _compress(
    store: Store, diff_id: Digest, place: forms.Place, advance: Callable[[int], None]
) -> Outcome:
    size = place.contents.stat().st_size
    table = store.coded_path(diff_id)
    coded = forms.Place(Form.CODED, table, place.index)
    if not _is_whole(table, diff_id):
        with store.temp_for(table) as temp:
            blob = _write(store, place.contents, temp, advance)
            if _is_worth(temp.path, blob, size) and not _is_whole(temp.path, diff_id):
                raise IntegrityError("the layer is damaged", str(place.contents), _REPAIR)
            if not _is_worth(temp.path, blob, size):
                _remove(blob)
                return Outcome(diff_id, Result.NOT_SMALLER, size, size)
            temp.keep(table)
    _sync_folders(table.parent, place.contents.parent)
    stored = _stored(coded)
    _remove(place.contents)
    return Outcome(diff_id, Result.COMPRESSED, size, stored)


def _is_worth(table: Path, blob: Path, size: int) -> bool:
    with explain(blob):
        return blob.stat().st_size + table.stat().st_size < size * _WORTH


def _write(store: Store, tar: Path, table: TempFile, advance: Callable[[int], None]) -> Path:
    """Compress a tar into a blob, which is kept, and its table, which is not; return the blob."""
    sha256 = hashlib.sha256()
    with (
        store.temp_for(store.blob_path(_UNKNOWN)) as blob,
        explain(blob.path),
        ChunkTableWriter(table.path, data="", kind="zstd") as writer,
        ThreadPoolExecutor(threads()) as pool,
    ):
        address = place = 0
        for size, codec, stored in coded_chunks(pool, _pieces(tar, advance), LEVEL, is_stream=True):
            writer.add(address, size, place=place, stored=len(stored), codec=codec)
            write_all(blob.fd, stored)
            sha256.update(stored)
            address, place = address + size, place + len(stored)
        digest = parse_digest(f"sha256:{sha256.hexdigest()}", str(blob.path))
        writer.finish(data=forms.beside_tables(digest))
        blob.keep(store.blob_path(digest))
        return store.blob_path(digest)


def _pieces(path: Path, advance: Callable[[int], None]) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            advance(len(chunk))


def decoded(table: Path) -> Generator[bytes]:
    """Yield a compressed layer's tar; raises StoreError, and IntegrityError for damage."""
    try:
        with explain(table):
            yield from _decoded(table)
    except ValueError as error:
        raise _damaged(table, error) from error
    except StoreError as error:
        cause = error.__cause__
        if cause is not None and isinstance(cause.__cause__, DamagedChunk):
            raise _damaged(table, cause.__cause__) from error
        raise


def _decoded(table: Path) -> Iterator[bytes]:
    with (
        ChunkTable(table) as opened,
        closing(CodedLayer(opened, 0, DecodedChunks(0))) as layer,
    ):
        for at in range(0, opened.size, _CHUNK):
            yield layer.raw(at, _CHUNK)


def _damaged(table: Path, error: Exception) -> IntegrityError:
    return IntegrityError(f"the layer is damaged: {error}", str(table), _REPAIR)


def _is_whole(table: Path, diff_id: Digest) -> bool:
    """Return whether a compressed layer is there and decodes to its tar."""
    sha256 = hashlib.sha256()
    try:
        for chunk in decoded(table):
            sha256.update(chunk)
    except (StoreError, IntegrityError):
        return False
    return sha256.hexdigest() == hex_of(diff_id)


def _restore(
    store: Store, diff_id: Digest, place: forms.Place, advance: Callable[[int], None]
) -> Outcome:
    tar = store.blob_path(diff_id)
    sha256 = hashlib.sha256()
    with store.temp_for(tar) as temp:
        for chunk in decoded(place.contents):
            with explain(temp.path):
                write_all(temp.fd, chunk)
            sha256.update(chunk)
            advance(len(chunk))
        if sha256.hexdigest() != hex_of(diff_id):
            raise IntegrityError("the layer is damaged", str(place.contents), _REPAIR)
        temp.keep(tar)
    _sync_folders(tar.parent)
    _drop(place.contents)
    size = tar.stat().st_size
    return Outcome(diff_id, Result.RESTORED, size, size)


def _drop(table: Path) -> None:
    """Remove a compressed layer whose tar is there, unless it came as it is and was kept."""
    if not table.exists():
        return
    with explain(table), ChunkTable(table) as opened:
        data, kind = Path(os.path.normpath(opened.data)), opened.kind
    if kind != KEPT:
        _remove(table)
        _remove(data)


def _remove(path: Path) -> None:
    with explain(path):
        path.unlink(missing_ok=True)


def _sync_folders(*folders: Path) -> None:
    """Bring names to the disk, before others go that they stand in for."""
    for folder in folders:
        with explain(folder):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
