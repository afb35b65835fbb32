"""A layer that can be used by its table of contents alone: `lazy/sha256/HEX/`, made as a whole.

The TOC's digest stands in the manifest, whose digest is checked, so what the index says is what the
image's maker said. That it is also what his tar says is proved when all of it is there, by the diff
ID (`rootless.lazy.promote`); until then the TOC's word counts, chunk by chunk against its digests.
"""

import logging
import os
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from stat import S_ISREG

import trio

from rootless.chunked.place import find_toc
from rootless.chunked.plan import LazyPlan, plan_layer
from rootless.chunked.read import ReadRange, read_toc
from rootless.chunked.toc import Codec, Toc
from rootless.errors import IntegrityError
from rootless.image.layers import GZIP, RAW, ZSTD, ChunkTableWriter, LayerIndexWriter
from rootless.image.store import LAZY_CHUNKS, LAZY_INDEX, TEMP_PREFIX, Store
from rootless.image.store_errors import explain
from rootless.lazy import durable, present, source
from rootless.lazy.layer import Layer
from rootless.lazy.needed import ACCOUNTS
from rootless.lazy.ranges import BlobMap
from rootless.lazy.source import Origin, Source
from rootless.linux.folder_lock import make_locked
from rootless.linux.remove_tree import remove_tree
from rootless.linux.statfs import statfs
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest

log = logging.getLogger(__name__)

_WHOLE = 256 << 10  # comes as a whole about as fast as its table
_PRIMED_AHEAD = 64 << 10  # one is near the other

_CODECS = {Codec.GZIP: GZIP, Codec.ZSTD: ZSTD, Codec.ZEROS: RAW}


async def try_stage(
    store: Store, blob: Descriptor, diff_id: Digest, origin: Origin, read_range: ReadRange
) -> bool:
    """Make a layer usable before it is there; return False for one that must come as a whole.

    That is a small layer, one without a TOC, or with one that is not right, and any on a file
    system that several machines share, where what one has written the other may not see yet.

    Args:
        store: Where to.
        blob: The layer's descriptor in the image's manifest.
        diff_id: Its diff ID.
        origin: The repository that has it.
        read_range: Reads bytes of the blob there.

    Raises:
        StoreError: The store cannot take it.
        RootlessError: What `read_range` raises.
    """
    folder = store.lazy_folder(diff_id)
    with explain(folder):
        if (folder / source.NAME).exists():
            source.add_origin(folder, origin)
            return True
        if blob.size <= _WHOLE or statfs(store.root).is_network:
            return False
    try:
        place = find_toc(blob.media_type, blob.annotations)
        if place is None:
            return False
        toc = await read_toc(place, blob.size, read_range, blob.digest)
        plan = await trio.to_thread.run_sync(plan_layer, toc, blob.digest)
        made = source_of(blob, origin, toc, plan)
        await trio.to_thread.run_sync(stage, store, diff_id, made, plan)
        await _prime(folder, plan, read_range)
    except IntegrityError as error:
        log.warning("the layer is downloaded as a whole: %s", error)
        return False
    return True


def source_of(blob: Descriptor, origin: Origin, toc: Toc, plan: LazyPlan) -> Source:
    """Return what is kept of where a layer comes from."""
    return Source(
        blob=replace(blob, annotations={}, platform=None),
        kind=toc.kind.value,
        toc_digest=toc.digest,
        origins=(origin,),
        inner={n: each.chunk.inner for n, each in enumerate(plan.chunks) if each.chunk.inner},
    )


def stage(store: Store, diff_id: Digest, made: Source, plan: LazyPlan) -> Path:
    """Make a layer's folder, unless it is there; return where it is.

    Raises:
        IntegrityError: The TOC does not fit the blob.
        StoreError: The store cannot take it.
    """
    folder = store.lazy_folder(diff_id)
    with explain(folder):
        temp = folder.with_name(f"{TEMP_PREFIX}{secrets.token_hex(8)}")
        lock_fd = make_locked(temp)
        try:
            _fill(temp, plan, made)
            if not _rename(temp, folder):
                remove_tree(temp)  # another was faster
        except BaseException:
            remove_tree(temp)
            raise
        finally:
            os.close(lock_fd)
    return folder


async def _prime(folder: Path, plan: LazyPlan, read_range: ReadRange) -> None:
    """Fetch the files that a run reads before there is a mount."""
    with explain(folder), Layer(folder) as layer:
        for entry, _ in plan.entries:
            if entry.path not in ACCOUNTS or not S_ISREG(entry.mode) or not entry.size:
                continue
            absent = layer.absent(layer.numbers(entry.offset, entry.size))
            for run in layer.blob_map.runs_for(absent, layer.is_there, _PRIMED_AHEAD):
                layer.take(run, await read_range(run.start, run.end - run.start))


def _fill(folder: Path, plan: LazyPlan, made: Source) -> None:
    _write_index(folder / LAZY_INDEX, plan)
    _write_chunks(folder / LAZY_CHUNKS, plan, made)
    spans = [(each.chunk.place, each.chunk.stored) for each in plan.chunks]
    if any(place + stored > made.blob.size for place, stored in spans):
        raise IntegrityError("table of contents has a chunk outside of the layer", made.blob.digest)
    zeros = [n for n, each in enumerate(plan.chunks) if each.chunk.codec is Codec.ZEROS]
    present.make(folder / durable.PRESENT, len(plan.chunks), zeros)
    present.make(folder / durable.GAPS, BlobMap(spans, made.blob.size).gap_count)
    for name, size in ((durable.DATA, plan.size), (durable.BLOB, made.blob.size)):
        with open(folder / name, "xb") as file:
            file.truncate(size)
    source.write(folder, made)
    durable.mark_new(folder)
    _sync(folder, os.listdir(folder))


def _write_index(path: Path, plan: LazyPlan) -> None:
    with LayerIndexWriter(path) as writer:
        for entry, xattrs in plan.entries:
            writer.add(entry, xattrs)
        writer.finish()


def _write_chunks(path: Path, plan: LazyPlan, made: Source) -> None:
    names = {"data": durable.DATA, "present": durable.PRESENT}
    with ChunkTableWriter(path, **names, kind=made.kind) as writer:
        for offset, chunk in plan.chunks:
            writer.add(
                offset,
                chunk.size,
                place=chunk.place,
                stored=chunk.stored,
                codec=_CODECS[chunk.codec],
                digest=chunk.digest,
            )
        writer.finish(plan.size)


def _sync(folder: Path, names: Iterable[str]) -> None:
    for name in (*names, "."):
        fd = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _rename(temp: Path, folder: Path) -> bool:
    """Give a folder its name; return False where there is one of that name."""
    try:
        temp.rename(folder)
    except OSError:
        if (folder / source.NAME).exists():
            return False
        raise
    return True
