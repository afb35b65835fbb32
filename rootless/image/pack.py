"""`rootless pack`: an image as one file that runs in place (`fuse.pack_file` has the format).

The same image gives the same bytes. The file appears under its name complete, or not at all.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rootless.errors import Conflict, IntegrityError, InvalidInput, StoreError
from rootless.image import trees
from rootless.image.layers import (
    PACKED_ABSENT,
    PACKED_FILES,
    PackCodec,
    PackKind,
    PackSection,
    TarContents,
    pack_front,
    pack_sections_size,
)
from rootless.image.names import Image, Located
from rootless.image.pack_contents import CodedContents, Contents, Output, PlainContents
from rootless.image.pack_reader import MAX_FILE
from rootless.image.progress import Progress, Silent
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.linux.unnamed_file import give_name, open_unnamed
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import hex_of
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES

_PLAIN_LINE = b"an image for rootless run FILE\n"
_PROGRAM_LINE = b"#!/usr/bin/env -S rootless run\n"
_CHUNK = 1 << 20
_TREE_LEVEL = 9
_DEFAULT_LEVEL = 9
_MAX_LEVEL = 22


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


def parse_compression(text: str) -> int:
    """Return zstd's level, 0 for none; raises InvalidInput."""
    name, colon, level = text.partition(":")
    if text == "none":
        return 0
    if name == "zstd":
        if not colon:
            return _DEFAULT_LEVEL
        if level.isascii() and level.isdigit() and 1 <= int(level[:3]) <= _MAX_LEVEL:
            return int(level)
    raise InvalidInput("no such compression", text, f"none, zstd, or zstd:1 to zstd:{_MAX_LEVEL}")


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
    # not one that was grown: the same image gives the same pack
    place = image.place or trees.merged(store, image.config.diff_ids)
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
        self._documents = [*_documents(store, image), *_files(store, image)]
        count = len(self._documents) + len(image.manifest.layers) + 1 + bool(request.compress)
        self._output = Output(fd, pack_sections_size(count))
        self._sections: list[PackSection] = []

    def write(self, contents: TarContents, progress: Progress) -> int:
        """Write the pack; return its length."""
        for kind, number, data in self._documents:
            self._add(kind, number, data)
        self._output.align()
        with TemporaryDirectory(prefix="rootless-pack-") as folder:
            places = self._add_layers(contents, Path(folder), progress)
            tree = Path(folder, "tree")
            trees.build_for_pack(self._place.tree, places, tree)
            self._add_compressed(PackKind.TREE, tree.read_bytes())
        line = _PROGRAM_LINE if self._request.is_program else _PLAIN_LINE
        size = self._output.end
        os.pwrite(self._fd, pack_front(self._sections, line=line, size=size), 0)
        return size

    def _add_layers(self, contents: TarContents, folder: Path, progress: Progress) -> list[int]:
        """Add the tars; return where each one's bytes begin."""
        with ExitStack() as stack:
            packed: Contents = PlainContents(self._output)
            if self._request.compress:
                table = folder / "chunks"
                coded = CodedContents(self._output, self._request.compress, table)
                packed = stack.enter_context(coded)
            places = []
            for number, layer in enumerate(self._image.manifest.layers):
                progress.layer(layer.digest, layer.size)
                tar = _Verified(tar_chunks(contents, number, layer.size), progress)
                place = packed.add(tar)
                tar.check(layer)
                stored = layer.size if packed.codec == PackCodec.RAW else 0
                digest = bytes.fromhex(hex_of(layer.digest))
                self._sections.append(
                    PackSection(
                        PackKind.LAYER, packed.codec, number, place, stored, layer.size, digest
                    )
                )
                places.append(place)
            chunks = packed.finish()
        if chunks:
            self._add_compressed(PackKind.CHUNK_TABLE, chunks)
        return places

    def _add(self, kind: PackKind, number: int, data: bytes) -> None:
        digest, size, place = hashlib.sha256(data).digest(), len(data), self._output.end
        self._sections.append(PackSection(kind, PackCodec.RAW, number, place, size, size, digest))
        self._output.append(data)

    def _add_compressed(self, kind: PackKind, data: bytes) -> None:
        import zstandard  # noqa: PLC0415 - for packs alone

        stored = zstandard.ZstdCompressor(level=_TREE_LEVEL).compress(data)
        digest, place = hashlib.sha256(stored).digest(), self._output.align()
        self._sections.append(
            PackSection(kind, PackCodec.ZSTD, 0, place, len(stored), len(data), digest)
        )
        self._output.append(stored)


class _Verified:
    """Passes a tar through, and takes its digest."""

    def __init__(self, chunks: Iterable[bytes], progress: Progress) -> None:
        self._chunks = chunks
        self._progress = progress
        self._verifier = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._verifier.update(chunk)
            self._progress.advance(len(chunk))
            yield chunk

    def check(self, layer: Descriptor) -> None:
        """Raise IntegrityError where it was not the layer's."""
        if self._verifier.hexdigest() != hex_of(layer.digest):
            fix = "load the image again"
            raise IntegrityError("damaged layer in the store", layer.digest, fix)


def tar_chunks(contents: TarContents, layer: int, size: int) -> Iterator[bytes]:
    """Yield a layer's tar; less of it where the store's file ends early."""
    for offset in range(0, size, _CHUNK):
        yield contents.read_raw(layer, offset, min(_CHUNK, size - offset))


def _documents(store: Store, image: Image) -> Iterator[tuple[PackKind, int, bytes]]:
    yield PackKind.CONFIG, 0, store.read_blob(image.config_digest, MAX_CONFIG_BYTES)
    yield PackKind.MANIFEST, 0, store.read_blob(image.manifest_digest, MAX_MANIFEST_BYTES)
    if image.source_digest is not None:
        data = store.read_blob(image.source_digest, MAX_MANIFEST_BYTES)
        yield PackKind.SOURCE_MANIFEST, 0, data
    if image.reference:
        yield PackKind.NAME, 0, image.reference.encode()


def _files(store: Store, image: Image) -> Iterator[tuple[PackKind, int, bytes]]:
    for number, path in enumerate(PACKED_FILES):
        if path.endswith(b"/"):
            data = b"" if trees.has_folder(store, image, path[:-1]) else None
        else:
            data = trees.read_file(store, image, path)
        if data is None:
            yield PackKind.FILE, number | PACKED_ABSENT, b""
        elif len(data) <= MAX_FILE:
            yield PackKind.FILE, number, data


@contextmanager
def _written(out: Path, mode: int) -> Iterator[int]:
    """Give the descriptor of a new file, which gets its name when the block ends without an error.

    Raises StoreError.
    """
    temp = out.with_name(f".tmp-{secrets.token_hex(8)}")
    try:
        fd = open_unnamed(out.parent, mode)
        has_name = fd < 0
        if has_name:
            fd = os.open(temp, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            yield fd
            os.fsync(fd)
            if has_name:
                os.rename(temp, out)
            else:
                give_name(fd, out, temp)
        except BaseException:
            with suppress(OSError):
                os.unlink(temp)
            raise
        finally:
            os.close(fd)
    except StoreError as error:
        cause = error.__cause__
        text = cause.strerror if isinstance(cause, OSError) and cause.strerror else error.what
        raise StoreError(f"cannot write the pack: {text.lower()}", error.on) from error
    except OSError as error:
        text = (error.strerror or str(error)).lower()
        raise StoreError(f"cannot write the pack: {text}", str(out)) from error
