"""One layer, one tree: read from its first byte to its last, beside what it must be.

Run by several processes at once, so what comes of a check is plain data.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rootless.errors import IntegrityError, NotFound, StoreError
from rootless.image import forms, trees
from rootless.image.fault import INDEX, LAYER, RELOAD, REMAKE, TREE, UNREADABLE, Fault
from rootless.image.forms import Form
from rootless.image.layers import (
    ChunkTable,
    LayerIndexBuilder,
    TarContents,
    TarFormatError,
    index_difference,
    index_fault,
    tree_difference,
    tree_fault,
)
from rootless.image.pack import tar_chunks
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.image.workers import Advance
from rootless.oci.digest import Digest, chain_id

_Contents = Generator[bytes, None, None]

_CHUNK = 1 << 20
_MISSING = "missing"


def check_layer(
    store: Store, diff_id: Digest, size: int | None, advance: Advance, *, quick: bool
) -> list[Fault]:
    """Return what is wrong with a layer and its index.

    Args:
        store: The store.
        diff_id: The layer; one that lies in an additional store is its administrator's to check.
        size: Of its tar, as a manifest says; None where none does.
        advance: Told of the bytes of the tar that are through.
        quick: Read no contents.
    """
    try:
        place = forms.find(store, diff_id)
    except NotFound:
        return [Fault(LAYER, diff_id, _MISSING, fix=RELOAD)]
    if not place.contents.is_relative_to(store.root):
        return []
    check = partial(_quick, size=size) if quick else partial(_whole, advance=advance)
    if place.form is Form.LAZY and not quick:
        check = partial(_pieces_there, advance=advance)
    try:
        return check(place, diff_id)
    except ValueError as error:  # of the chunk table
        return [Fault(LAYER, diff_id, f"damaged: {error}", fix=RELOAD)]
    except OSError as error:
        on = "" if error.filename in (None, str(place.contents)) else f": {error.filename}"
        what = f"{UNREADABLE}: {error.strerror}{on}"
        # of the disk, or of bytes that do not decode; of a chunk table's bytes that have gone
        if error.errno in (errno.EIO, errno.ENOENT):
            return [Fault(LAYER, diff_id, f"damaged: {what}", fix=RELOAD)]
        return [Fault(LAYER, diff_id, what)]


def _quick(place: forms.Place, diff_id: Digest, size: int | None) -> list[Fault]:
    found = _size(place)
    if None not in (found, size) and found != size:
        what = f"damaged: it has {found} bytes, the manifest says {size}"
        return [Fault(LAYER, diff_id, what, fix=RELOAD)]
    what = index_fault(place.index) if place.index.exists() else _MISSING
    return [Fault(INDEX, diff_id, what, fix=REMAKE)] if what else []


def _size(place: forms.Place) -> int | None:
    """Return the size of a layer's tar; None for one that is not all there."""
    if place.form is Form.TAR:
        return place.contents.stat().st_size
    with ChunkTable(place.contents) as table:
        if place.form is Form.LAZY:
            return None
        return table.size if os.path.exists(table.data) else 0


def _whole(place: forms.Place, diff_id: Digest, advance: Advance) -> list[Fault]:
    with TemporaryDirectory(prefix="rootless-verify-") as folder:
        made = Path(folder, "index")
        digest, what = _index(_contents(place), made, advance)
        if digest != diff_id:
            return [Fault(LAYER, diff_id, f"damaged: its content is {digest}", fix=RELOAD)]
        if what:
            return [Fault(LAYER, diff_id, f"not a layer: {what}", fix=RELOAD)]
        if not place.index.exists():
            return [Fault(INDEX, diff_id, _MISSING, fix=REMAKE)]
        difference = index_difference(place.index, made)
    return [Fault(INDEX, diff_id, f"damaged: {difference}", fix=REMAKE)] if difference else []


def _contents(place: forms.Place) -> _Contents:
    """Yield the bytes of a layer's tar, whether it lies there or is compressed."""
    if place.form is Form.TAR:
        with open(place.contents, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            yield from iter(partial(file.read, _CHUNK), b"")
        return
    with ChunkTable(place.contents) as table:
        size = table.size
    with TarContents([place.contents]) as contents:
        yield from tar_chunks(contents, 0, size)


def _pieces_there(place: forms.Place, diff_id: Digest, advance: Advance) -> list[Fault]:
    """Check what has come of a layer that is not all there: each piece has a digest of its own."""
    with ChunkTable(place.contents) as table, open(table.data, "rb", buffering=0) as data:
        marks = Path(table.present).read_bytes()
        wrong = 0
        for chunk in table.chunks():
            if marks[chunk.number] and chunk.digest:
                piece = os.pread(data.fileno(), chunk.size, chunk.offset)
                wrong += hashlib.sha256(piece).digest() != chunk.digest
                advance(chunk.size)
    what = f"damaged: {wrong} of its pieces have another digest"
    return [Fault(LAYER, diff_id, what, fix=RELOAD)] if wrong else []


def _index(contents: _Contents, index: Path, advance: Advance) -> tuple[str, str]:
    """Index a tar; return its digest, and why it is none, or ""."""
    sha256 = hashlib.sha256()
    what = ""
    with LayerIndexBuilder(index) as builder, closing(contents):
        for chunk in contents:
            sha256.update(chunk)
            what = what or _fault_of(partial(builder.feed, chunk))
            advance(len(chunk))
        what = what or _fault_of(builder.finish)
    return f"sha256:{sha256.hexdigest()}", what


def _fault_of(step: Callable[[], object]) -> str:
    try:
        step()
    except TarFormatError as error:
        return str(error)
    return ""


def make_index(store: Store, diff_id: Digest) -> None:
    """Make the index of a layer's tar again; raises StoreError."""
    path = store.index_path(diff_id)
    with store.temp_for(path) as temp, explain(path):
        place = forms.find(store, diff_id)
        digest, what = _index(_contents(place), temp.path, lambda _: None)
        if digest != diff_id or what:
            raise IntegrityError("the layer is damaged", diff_id)
        temp.keep(path)


def check_tree(
    store: Store, diff_ids: Sequence[Digest], advance: Advance, *, quick: bool
) -> list[Fault]:
    """Return what is wrong with the tree of a chain of layers, whose indexes are right."""
    del advance  # it goes by bytes of tars
    chain = chain_id(diff_ids)
    try:
        places = forms.find_all(store, diff_ids)
        path = forms.tree_path(store, diff_ids, places)
        if not path.exists():
            return []  # made when it is needed
        what = tree_fault(path) if quick else _tree_difference(places, path)
    except NotFound:
        return []  # told of the layer
    except OSError as error:
        what = f"{UNREADABLE}: {error.strerror}"
    except (StoreError, IntegrityError) as error:
        what = f"cannot be made again: {error}"
    return [Fault(TREE, chain, f"damaged: {what}", fix=REMAKE)] if what else []


def _tree_difference(places: Sequence[forms.Place], path: Path) -> str:
    with TemporaryDirectory(prefix="rootless-verify-") as folder:
        made = Path(folder, "tree")
        trees.build([place.index for place in places], made)
        return tree_difference(path, made)


def make_tree(store: Store, diff_ids: Sequence[Digest]) -> None:
    """Make a tree again; raises NotFound, StoreError, IntegrityError."""
    places = forms.find_all(store, diff_ids)
    path = forms.tree_path(store, diff_ids, places)
    with store.temp_for(path) as temp:
        trees.build([place.index for place in places], temp.path)
        temp.keep(path)
