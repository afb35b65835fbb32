"""A layer of the store as the plain tar that it is, in whatever form the store has it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rootless.image import forms
from rootless.image.byte_stream import ByteStream, Source
from rootless.image.compact import decoded
from rootless.image.forms import Form
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@contextmanager
def open_tar(store: Store, diff_id: Digest) -> Iterator[ByteStream]:
    """Give a layer's tar, from its start; raises NotFound where it is not there."""
    place = forms.find(store, diff_id)
    if place.form is Form.LAZY:
        raise forms.missing(store, store.blob_path(diff_id))
    if place.form is Form.CODED:
        with closing(_Decoded(place.contents)) as stream:
            yield stream
        return
    with explain(place.contents), open(place.contents, "rb", buffering=0) as file:
        yield file


class _Decoded(Source):
    """A compressed layer, decoded as it is read."""

    def __init__(self, table: Path) -> None:
        super().__init__()
        self._chunks = decoded(table)
        self._rest = memoryview(b"")

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read a part of a chunk; raises what `decoded` raises."""
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        view = memoryview(buffer)
        n = min(len(view), len(self._rest))
        view[:n], self._rest = self._rest[:n], self._rest[n:]
        return n

    def close(self) -> None:
        """Close the layer's files."""
        self._chunks.close()
        super().close()
