"""One layer, one tree: read from its first byte to its last, beside what it must be.

Run by several processes at once, so what comes of a check is plain data.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rootless.errors import IntegrityError, NotFound, StoreError
from rootless.image import forms, trees
from rootless.image.fault import INDEX, LAYER, RELOAD, REMAKE, TREE, Fault
from rootless.image.forms import Form
from rootless.image.layers import (
    LayerIndexBuilder,
    TarFormatError,
    index_difference,
    index_fault,
    tree_difference,
    tree_fault,
)
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.image.workers import Advance
from rootless.oci.digest import Digest, chain_id

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
    if place.form is not Form.TAR or not place.contents.is_relative_to(store.root):
        return []
    try:
        if quick:
            return _quick(place, diff_id, size)
        return _whole(place, diff_id, advance)
    except OSError as error:
        on = "" if error.filename in (None, str(place.contents)) else f": {error.filename}"
        return [Fault(LAYER, diff_id, f"cannot be read: {error.strerror}{on}", fix=RELOAD)]


def _quick(place: forms.Place, diff_id: Digest, size: int | None) -> list[Fault]:
    found = place.contents.stat().st_size
    if size is not None and found != size:
        what = f"damaged: it has {found} bytes, the manifest says {size}"
        return [Fault(LAYER, diff_id, what, fix=RELOAD)]
    what = index_fault(place.index) if place.index.exists() else _MISSING
    return [Fault(INDEX, diff_id, what, fix=REMAKE)] if what else []


def _whole(place: forms.Place, diff_id: Digest, advance: Advance) -> list[Fault]:
    with TemporaryDirectory(prefix="rootless-verify-") as folder:
        made = Path(folder, "index")
        digest, what = _read_tar(place.contents, made, advance)
        if digest != diff_id:
            return [Fault(LAYER, diff_id, f"damaged: its content is {digest}", fix=RELOAD)]
        if what:
            return [Fault(LAYER, diff_id, f"not a layer: {what}", fix=RELOAD)]
        if not place.index.exists():
            return [Fault(INDEX, diff_id, _MISSING, fix=REMAKE)]
        difference = index_difference(place.index, made)
    return [Fault(INDEX, diff_id, f"damaged: {difference}", fix=REMAKE)] if difference else []


def _read_tar(tar: Path, index: Path, advance: Advance) -> tuple[str, str]:
    """Index a tar; return its digest, and why it is none, or ""."""
    sha256 = hashlib.sha256()
    what = ""
    with LayerIndexBuilder(index) as builder, open(tar, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while chunk := file.read(_CHUNK):
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
        digest, what = _read_tar(store.blob_path(diff_id), temp.path, lambda _: None)
        if digest != diff_id or what:
            raise IntegrityError("the layer is damaged", diff_id)
        temp.keep(path)


def check_tree(
    store: Store, diff_ids: Sequence[Digest], advance: Advance, *, quick: bool
) -> list[Fault]:
    """Return what is wrong with the tree of a chain of layers, whose indexes are right."""
    del advance  # it goes by bytes of tars
    chain = chain_id(diff_ids)
    path = store.tree_path(chain)
    try:
        if not path.exists():
            return []  # made when it is needed
        what = tree_fault(path) if quick else _tree_difference(store, diff_ids, path)
    except NotFound:
        return []  # told of the layer
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    except (StoreError, IntegrityError) as error:
        what = f"cannot be made again: {error}"
    return [Fault(TREE, chain, f"damaged: {what}", fix=REMAKE)] if what else []


def _tree_difference(store: Store, diff_ids: Sequence[Digest], path: Path) -> str:
    places = forms.find_all(store, diff_ids)
    if any(place.form is Form.LAZY for place in places):
        return tree_fault(path)
    with TemporaryDirectory(prefix="rootless-verify-") as folder:
        made = Path(folder, "tree")
        trees.build([place.index for place in places], made)
        return tree_difference(path, made)


def make_tree(store: Store, diff_ids: Sequence[Digest]) -> None:
    """Make a tree again; raises NotFound, StoreError, IntegrityError."""
    path = store.tree_path(chain_id(diff_ids))
    places = forms.find_all(store, diff_ids)
    with store.temp_for(path) as temp:
        trees.build([place.index for place in places], temp.path)
        temp.keep(path)
