"""A layer of the store as the plain tar that it is, in whatever form the store has it."""

from collections.abc import Iterator
from contextlib import contextmanager

from rootless.errors import NotFound
from rootless.image.byte_stream import ByteStream
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest


@contextmanager
def open_tar(store: Store, diff_id: Digest) -> Iterator[ByteStream]:
    """Give a layer's tar, from its start; raises NotFound where it is not there."""
    path = store.find(store.blob_path(diff_id))
    if not path.exists():
        raise NotFound("layer missing from the store", str(path), "load or pull the image again")
    with explain(path), open(path, "rb", buffering=0) as file:
        yield file
