"""A layer of the store as the plain tar that it is, in whatever form the store has it.

A coded layer lies there as the blob that it came in: that can go out again as it is, too.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import NotFound
from rootless.image import decompress, forms
from rootless.image.byte_stream import ByteStream
from rootless.image.forms import Form
from rootless.image.layers import ChunkTable
from rootless.image.source import Window
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest, parse_digest


@dataclass(frozen=True, slots=True)
class KeptBlob:
    """The blob in which a layer came.

    Attributes:
        path: Where it lies.
        digest: Its digest.
        size: Its size.
    """

    path: Path
    digest: Digest
    size: int

    @contextmanager
    def open_at(self, offset: int) -> Iterator[ByteStream]:
        """Give its bytes from an offset on."""
        with _opened(self.path, offset) as stream:
            yield stream


@contextmanager
def open_tar(store: Store, diff_id: Digest) -> Iterator[ByteStream]:
    """Give a layer's tar, from its start; raises NotFound where it is not there."""
    place = forms.find(store, diff_id)
    if place.form is Form.LAZY:
        fix = "`rootless pull` brings the rest"
        raise NotFound("the layer is not all there yet", diff_id, fix)
    blob = kept_blob(store, diff_id)
    if blob is None or place.form is Form.TAR:
        with _opened(place.contents) as tar:
            yield tar
        return
    with blob.open_at(0) as raw, decompress.opened(raw, diff_id) as tar:
        yield tar


def kept_blob(store: Store, diff_id: Digest) -> KeptBlob | None:
    """Return the blob in which a layer lies compressed, beside its tar or alone; None for none."""
    coded = store.find(store.coded_path(diff_id))
    if not coded.exists():
        return None
    with explain(coded):
        with ChunkTable(coded) as table:
            path = Path(table.data)
        return KeptBlob(path, parse_digest(f"sha256:{path.name}"), path.stat().st_size)


@contextmanager
def _opened(path: Path, offset: int = 0) -> Iterator[ByteStream]:
    """Give a file; errors of reading name it, those of whoever takes the bytes are his own."""
    with explain(path):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield Window(fd, offset, max(0, os.fstat(fd).st_size - offset), str(path))
    finally:
        os.close(fd)
