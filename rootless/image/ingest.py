"""One layer into the store: a single pass from the source to a verified tar and its index."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from rootless.errors import IntegrityError
from rootless.image import forms
from rootless.image.byte_stream import ByteStream, drain
from rootless.image.layers import ChunkTableWriter, LayerIndexBuilder, TarFormatError
from rootless.image.pipeline import LayerPipeline, Tap
from rootless.image.seek_points import KEPT
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
        points: Its chunk table over the bytes as they came, where that was asked for and can be.
    """

    diff_id: Digest
    size: int
    source_digest: Digest
    source_size: int
    tar: TempFile
    index: TempFile
    points: TempFile | None = None

    def close(self) -> None:
        """Remove what was not kept."""
        self.tar.close()
        self.index.close()
        if self.points is not None:
            self.points.close()


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
    *,
    has_points: bool = False,
) -> StagedLayer:
    """Write a layer's tar and index into temp files of the store, and verify it.

    With *has_points* seek points too, where it comes as gzip: then what came can be kept for the
    tar (`compact`).

    Raises:
        IntegrityError: It is damaged, not what it must be, or not a layer.
        StoreError: The store cannot take it.
    """
    with ExitStack() as stack:
        tar = stack.enter_context(store.temp_for(store.blob_path(_UNKNOWN)))
        index = stack.enter_context(store.temp_for(store.index_path(_UNKNOWN)))
        tap = Tap(raw, advance)
        if not has_points:
            layer = _pass(tap, what, tar, index, expected)
        else:
            points = stack.enter_context(store.temp_for(store.coded_path(_UNKNOWN)))
            with ChunkTableWriter(points.path, data="", kind=KEPT) as table:
                layer = _pass(tap, what, tar, index, expected, table)
                if table.finish(data=forms.beside_tables(layer.source_digest)):
                    layer = replace(layer, points=points)
                else:
                    points.close()
        expected.check(layer, what)
        stack.pop_all()
    return layer


def _pass(  # noqa: PLR0917 - what a pass reads and writes
    tap: Tap,
    what: str,
    tar: TempFile,
    index: TempFile,
    expected: Expected,
    points: ChunkTableWriter | None = None,
) -> StagedLayer:
    pipeline = LayerPipeline(tap, what, tar.fd, points)
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
