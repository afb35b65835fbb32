"""The form in which a layer lies in the store, and the files that it then consists of.

    tar     blobs/sha256/HEX                with layers/sha256/HEX.index
    coded   layers/sha256/HEX.layer-chunks  with layers/sha256/HEX.index: its bytes are compressed
    lazy    lazy/sha256/HEX/layer-chunks    with lazy/sha256/HEX/index: not all there yet

HEX is the layer's diff ID. The first form that is there counts, in this store or
in an additional one. A lazy layer has other offsets than its tar, so its index, and every tree over
it, is another one; only this store has such layers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rootless.errors import NotFound
from rootless.image.store import LAZY_CHUNKS, LAZY_DATA, LAZY_INDEX, Store
from rootless.image.store_errors import explain, store_error
from rootless.oci.digest import Digest, chain_id, hex_of, parse_digest, sha256_of

_CODED_SUFFIX = ".layer-chunks"
_RELOAD = "load the image again"


class Form(Enum):
    """How a layer lies there."""

    TAR = "tar"
    CODED = "coded"
    LAZY = "lazy"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer is.

    Attributes:
        form: In which form.
        contents: The tar, or the chunk table.
        index: Its index.
    """

    form: Form
    contents: Path
    index: Path


def find(store: Store, diff_id: Digest) -> Place:
    """Return where a layer is; raises NotFound."""
    index = store.find(store.index_path(diff_id))
    tar = store.find(store.blob_path(diff_id))
    if tar.exists():
        return Place(Form.TAR, tar, index)
    coded = store.find(store.coded_path(diff_id))
    if coded.exists():
        return Place(Form.CODED, coded, index)
    lazy = store.lazy_folder(diff_id)
    if (lazy / LAZY_CHUNKS).exists():
        return Place(Form.LAZY, lazy / LAZY_CHUNKS, lazy / LAZY_INDEX)
    raise missing(store, tar)


def size_of(store: Store, diff_id: Digest) -> int:
    """Return the size of a layer's tar; of a lazy layer, which has none, that of its contents."""
    place = find(store, diff_id)
    if place.form is Form.CODED:
        from rootless.image.layers import ChunkTable  # noqa: PLC0415 - a list of images needs none

        with explain(place.contents), ChunkTable(place.contents) as table:
            return table.size
    path = place.contents.with_name(LAZY_DATA) if place.form is Form.LAZY else place.contents
    try:
        return path.stat().st_size
    except OSError as error:
        if find(store, diff_id) != place:  # a lazy layer has become an ordinary one meanwhile
            return size_of(store, diff_id)
        raise store_error(error, path) from error


def missing(store: Store, path: Path) -> NotFound:
    """Return the error for a part of a layer that is nowhere."""
    places = ", ".join(str(other.root) for other in store.others)
    fix = f"nor is it in {places}: {_RELOAD}" if places else _RELOAD
    return NotFound("layer missing from the store", str(path), fix)


def find_if_there(store: Store, diff_id: Digest) -> Place | None:
    """Return where a layer is; None where it is not."""
    try:
        return find(store, diff_id)
    except NotFound:
        return None


def find_all(store: Store, diff_ids: Sequence[Digest]) -> tuple[Place, ...]:
    """Return where the layers are; raises NotFound."""
    return tuple(find(store, diff_id) for diff_id in diff_ids)


def beside_tables(blob: Digest) -> str:
    """Return where a blob is, as the chunk table of a coded layer names it."""
    return f"../../blobs/sha256/{hex_of(blob)}"


def is_lazy(contents: Path) -> bool:
    """Return whether a layer's contents are those of a lazy one."""
    return contents.name == LAZY_CHUNKS


def diff_id_of(contents: Path) -> Digest:
    """Return the diff ID of the layer whose contents lie there."""
    name = contents.parent.name if is_lazy(contents) else contents.name
    return parse_digest(f"sha256:{name.removesuffix(_CODED_SUFFIX)}", str(contents))


def tree_path(store: Store, diff_ids: Sequence[Digest], places: Sequence[Place]) -> Path:
    """Return where the tree of a chain lies, for the forms that its layers have.

    Every choice of lazy layers has a tree of its own: their offsets are in it.
    """
    lazy = [diff_id for diff_id, p in zip(diff_ids, places, strict=True) if p.form is Form.LAZY]
    chain = chain_id(diff_ids)
    if not lazy:
        return store.tree_path(chain)
    return store.lazy_tree_path(sha256_of(" ".join((chain, *lazy)).encode()))
