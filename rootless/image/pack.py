"""`rootless pack`: an image as one file that runs in place (`fuse.pack_file` has the format).

The same image gives the same bytes. The file appears under its name complete, or not at all.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rootless.errors import Conflict, IntegrityError, StoreError
from rootless.image import trees
from rootless.image.layers import (
    PACK_PAGE,
    PackCodec,
    PackKind,
    PackSection,
    TarContents,
    pack_front,
    pack_sections_size,
)
from rootless.image.names import Image, Located
from rootless.image.progress import Progress, Silent
from rootless.image.store import Store, write_all
from rootless.image.store_errors import explain
from rootless.oci.digest import hex_of
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES

_PLAIN_LINE = b"an image for rootless run FILE\n"
_PROGRAM_LINE = b"#!/usr/bin/env -S rootless run\n"
_CHUNK = 1 << 20
_TREE_LEVEL = 9


@dataclass(frozen=True, slots=True)
class PackRequest:
    """How an image is packed.

    Attributes:
        compress: zstd's level for the contents; 0 for as they are.
        is_program: The file can be executed: `./FILE ARGUMENT…`.
        replaces: It takes the place of a file of that name.
    """

    compress: int = 0
    is_program: bool = False
    replaces: bool = False


def pack(
    store: Store,
    image: Image,
    out: Path,
    request: PackRequest,
    progress: Progress | None = None,
) -> int:
    """Write an image of the store into one file; return the file's length.

    Args:
        store: Where the image is; may be read-only.
        image: The image.
        out: The file.
        request: How.
        progress: Who is told.

    Raises:
        Conflict: There is a file of that name, or the image is in a file itself.
        NotFound: A layer is missing.
        IntegrityError: A layer of the store is damaged.
        StoreError: The file cannot be written.
    """
    if image.place is not None:
        raise Conflict("the image is in a file already", image.reference, "cp copies it")
    if not request.replaces and os.path.lexists(out):
        raise Conflict("there is a file of that name", str(out), "--force replaces it")
    place = trees.place_of(store, image)
    with _written(out, 0o777 if request.is_program else 0o666) as fd:
        writer = _Writer(fd, store, image, place, request)
        with explain(out), TarContents(place.layers) as contents:
            return writer.write(contents, progress or Silent())


class _Writer:
    """The sections of one pack, in the order of the file."""

    def __init__(
        self, fd: int, store: Store, image: Image, place: Located, request: PackRequest
    ) -> None:
        self._fd = fd
        self._image = image
        self._place = place
        self._request = request
        self._documents = list(_documents(store, image))
        count = len(self._documents) + len(image.manifest.layers) + 1
        self._end = pack_sections_size(count)
        self._sections: list[PackSection] = []

    def write(self, contents: TarContents, progress: Progress) -> int:
        for kind, data in self._documents:
            self._add(kind, data)
        places = []
        for number, layer in enumerate(self._image.manifest.layers):
            progress.layer(layer.digest, layer.size)
            places.append(self._add_layer(contents, number, progress))
        with TemporaryDirectory(prefix="rootless-pack-") as folder:
            tree = Path(folder, "tree")
            trees.build_for_pack(self._place.tree, places, tree)
            self._add_compressed(PackKind.TREE, tree.read_bytes())
        line = _PROGRAM_LINE if self._request.is_program else _PLAIN_LINE
        os.pwrite(self._fd, pack_front(self._sections, line=line, size=self._end), 0)
        return self._end

    def _add(self, kind: PackKind, data: bytes, number: int = 0) -> None:
        digest = hashlib.sha256(data).digest()
        size = len(data)
        self._sections.append(
            PackSection(kind, PackCodec.RAW, number, self._end, size, size, digest)
        )
        self._append(data)

    def _add_compressed(self, kind: PackKind, data: bytes) -> None:
        import zstandard  # noqa: PLC0415 - for packs alone

        self._align()
        stored = zstandard.ZstdCompressor(level=_TREE_LEVEL).compress(data)
        digest = hashlib.sha256(stored).digest()
        self._sections.append(
            PackSection(kind, PackCodec.ZSTD, 0, self._end, len(stored), len(data), digest)
        )
        self._append(stored)

    def _add_layer(self, contents: TarContents, number: int, progress: Progress) -> int:
        """Copy a layer's tar, and verify it; return where it begins."""
        self._align()
        layer = self._image.manifest.layers[number]
        start, verifier = self._end, hashlib.sha256()
        for chunk in tar_chunks(contents, 0, layer.size, layer=number):
            verifier.update(chunk)
            self._append(chunk)
            progress.advance(len(chunk))
        if verifier.hexdigest() != hex_of(layer.digest):
            fix = "load the image again"
            raise IntegrityError("damaged layer in the store", layer.digest, fix)
        self._sections.append(
            PackSection(
                PackKind.LAYER,
                PackCodec.RAW,
                number,
                start,
                layer.size,
                layer.size,
                verifier.digest(),
            )
        )
        return start

    def _align(self) -> None:
        self._end += -self._end % PACK_PAGE

    def _append(self, data: bytes) -> None:
        os.lseek(self._fd, self._end, os.SEEK_SET)
        write_all(self._fd, data)
        self._end += len(data)


def tar_chunks(contents: TarContents, first: int, size: int, *, layer: int = 0) -> Iterator[bytes]:
    """Yield a layer's tar, which begins at *first*; less of it where the file ends early."""
    for offset in range(first, first + size, _CHUNK):
        want = min(_CHUNK, first + size - offset)
        data = contents.read_raw(layer, offset, want)
        yield data
        if len(data) < want:
            return


def _documents(store: Store, image: Image) -> Iterator[tuple[PackKind, bytes]]:
    yield PackKind.CONFIG, store.read_blob(image.config_digest, MAX_CONFIG_BYTES)
    yield PackKind.MANIFEST, store.read_blob(image.manifest_digest, MAX_MANIFEST_BYTES)
    if image.source_digest is not None:
        data = store.read_blob(image.source_digest, MAX_MANIFEST_BYTES)
        yield PackKind.SOURCE_MANIFEST, data
    if image.reference:
        yield PackKind.NAME, image.reference.encode()


@contextmanager
def _written(out: Path, mode: int) -> Iterator[int]:
    """Give the descriptor of a new file, which gets its name when the block ends without an error.

    Raises StoreError.
    """
    temp = out.with_name(f".tmp-{secrets.token_hex(8)}")
    try:
        fd = os.open(temp, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            yield fd
            os.fsync(fd)
            os.rename(temp, out)
        except BaseException:
            with suppress(OSError):
                os.unlink(temp)
            raise
        finally:
            os.close(fd)
    except StoreError as error:
        raise StoreError(f"cannot write the pack: {error.what}", str(out)) from error
    except OSError as error:
        text = (error.strerror or str(error)).lower()
        raise StoreError(f"cannot write the pack: {text}", str(out)) from error
