"""One layer into the store: a single pass from the source to a verified tar and its index."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from rootless.errors import IntegrityError
from rootless.image.byte_stream import ByteStream, drain
from rootless.image.layers import LayerIndexBuilder, TarFormatError
from rootless.image.pipeline import LayerPipeline, Tap
from rootless.image.store import Store, TempFile
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest

_UNKNOWN = Digest("sha256:unknown")  # for a place beside the files whose names are known later


@dataclass(frozen=True, slots=True)
class StagedLayer:
    """A layer that is written and verified but has no name yet.

    Attributes:
        diff_id: Digest of the tar.
        size: Bytes of the tar.
        source_digest: Digest of the layer as it came, compressed or not.
        source_size: Bytes as it came.
        tar: The tar.
        index: Its index.
    """

    diff_id: Digest
    size: int
    source_digest: Digest
    source_size: int
    tar: TempFile
    index: TempFile

    def close(self) -> None:
        """Remove what was not kept."""
        self.tar.close()
        self.index.close()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a layer must be; None where nobody said."""

    digest: Digest | None = None
    size: int | None = None
    diff_id: Digest | None = None

    def check(self, layer: StagedLayer, what: str) -> None:
        """Raise IntegrityError where the layer is another one."""
        self.check_digest(layer.source_digest, what)
        if self.size is not None and layer.source_size != self.size:
            fix = f"the content has {layer.source_size} bytes, the manifest says {self.size}"
            raise IntegrityError("wrong size", what, fix)
        if self.diff_id is not None and layer.diff_id != self.diff_id:
            fix = f"the config says {self.diff_id}, the tar is {layer.diff_id}"
            raise IntegrityError("wrong diff ID", what, fix)

    def check_digest(self, digest: Digest, what: str) -> None:
        """Raise IntegrityError where what came has another digest."""
        if self.digest is not None and digest != self.digest:
            raise IntegrityError("wrong digest", what, f"the content is {digest}")


def ingest(
    store: Store,
    raw: ByteStream,
    what: str,
    expected: Expected,
    advance: Callable[[int], None] = lambda _: None,
) -> StagedLayer:
    """Write a layer's tar and index into temp files of the store, and verify it.

    Raises:
        IntegrityError: It is damaged, not what it must be, or not a layer.
        StoreError: The store cannot take it.
    """
    tar = store.temp_for(store.blob_path(_UNKNOWN))
    try:
        index = store.temp_for(store.index_path(_UNKNOWN))
    except BaseException:
        tar.close()
        raise
    try:
        layer = _pass(Tap(raw, advance), what, tar, index, expected)
        expected.check(layer, what)
    except BaseException:
        tar.close()
        index.close()
        raise
    return layer


def _pass(tap: Tap, what: str, tar: TempFile, index: TempFile, expected: Expected) -> StagedLayer:
    pipeline = LayerPipeline(tap, what, tar.fd)
    with explain(tar.path):
        builder = LayerIndexBuilder(index.path)
        try:
            with closing(pipeline.chunks()) as chunks:
                for chunk in chunks:
                    builder.feed(chunk)
            builder.finish()
        except (IntegrityError, TarFormatError) as error:
            _blame_the_digest(tap, what, expected, pipeline)
            if isinstance(error, IntegrityError):
                raise
            raise IntegrityError("not a valid layer", f"{what}: {error}") from error
        finally:
            builder.close()
    return StagedLayer(pipeline.digest(), pipeline.size, tap.digest(), tap.size, tar, index)


def _blame_the_digest(tap: Tap, what: str, expected: Expected, pipeline: LayerPipeline) -> None:
    """Raise the error about a wrong digest where that explains damage that was found before."""
    if expected.digest is not None and pipeline.has_ended():
        drain(tap)
        expected.check_digest(tap.digest(), what)
