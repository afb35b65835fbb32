"""Images into the store: the whole of `rootless load` but its printing."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image import gc, names
from rootless.image.archive_stream import ArchiveStream
from rootless.image.byte_stream import ByteStream
from rootless.image.decompress import MAGIC_BYTES, compression_of, opened
from rootless.image.layers import PACK_HEAD, is_pack
from rootless.image.pack_source import PackSource
from rootless.image.plan import PlannedImage, plan
from rootless.image.progress import Progress, Silent
from rootless.image.source import (
    STANDARD_INPUT,
    ArchiveFile,
    ImageSource,
    LayoutFolder,
    read_error,
)
from rootless.image.standard_input import piped
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.descriptor import Platform
from rootless.oci.digest import Digest, sha256_of
from rootless.oci.document import MAX_MANIFEST_BYTES
from rootless.oci.image_index import host_platform
from rootless.oci.manifest import parse_manifest, stored_manifest

_PREFIXES = ("oci-archive:", "docker-archive:", "oci:")


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """What came of a load: the names, or none, and the image ID."""

    references: tuple[str, ...]
    config_digest: Digest


def load(
    store: Store,
    source: str,
    *,
    name: str = "",
    platform: Platform | None = None,
    progress: Progress | None = None,
    check: Callable[[str, str], None] | None = None,
) -> list[LoadedImage]:
    """Load the images of a folder, an archive or standard input ("-"): all of them, or nothing.

    Args:
        store: Where to.
        source: `PATH[:NAME]`, with or without skopeo's prefixes `oci:`, `oci-archive:` and
            `docker-archive:`.
        name: What to call the image instead.
        platform: Which image of an index; the host's by default.
        progress: Who is told.
        check: Takes the source's transport, in skopeo's words, and path before anything is kept;
            raises where no image may be taken from there.

    Raises:
        NotFound: The source is not there.
        InvalidInput: It is no image.
        IntegrityError: It is damaged or hostile.
        StoreError: The store cannot take it.
    """
    reference = names.name_for_storing(name) if name else ""
    told = progress or Silent()
    path, wanted = _split(source)
    with Transaction(store) as transaction, _opened(store, path, told) as content:
        planned = _planned(content, wanted, platform or host_platform())
        if check is not None:
            check(_transport(content, path, planned), path)
        if reference:
            if len(planned) != 1:
                fix = f"{source} has {len(planned)}; name one as {path}:NAME"
                raise InvalidInput("one name for several images", name, fix)
            planned = [_renamed(planned[0], reference)]
        transaction.lock_layers(layer.diff_id for image in planned for layer in image.layers)
        new: list[names.Entry] = []
        for image in planned:
            _take_layers(transaction, image, content, told)
            new += _document(transaction, image)
        transaction.commit(new)
    gc.collect_if_due(store)
    return [LoadedImage(i.references, sha256_of(i.config_data)) for i in planned]


def _transport(content: ImageSource, path: str, planned: list[PlannedImage]) -> str:
    if isinstance(content, PackSource):
        return "pack"
    if any(image.source_manifest is None for image in planned):
        return "docker-archive"
    return "oci" if os.path.isdir(path) else "oci-archive"


def _planned(content: ImageSource, wanted: str, platform: Platform) -> list[PlannedImage]:
    if isinstance(content, PackSource):
        return [content.image()]
    return plan(content, wanted, platform)


def _renamed(image: PlannedImage, reference: str) -> PlannedImage:
    return PlannedImage(
        (reference,), image.config_data, image.config, image.layers, image.source_manifest
    )


def _take_layers(
    transaction: Transaction, image: PlannedImage, content: ImageSource, progress: Progress
) -> None:
    for planned in image.layers:
        if transaction.has_layer(planned.diff_id):
            continue
        layer = content.layer(planned.name, planned.expected, progress)
        if layer is None:
            raise IntegrityError("layer is missing", f"{planned.name} of {content.what}")
        transaction.add_layer(layer)
    transaction.add_tree(image.config.diff_ids)


def _document(transaction: Transaction, image: PlannedImage) -> list[names.Entry]:
    """Add an image's documents; return its lines for index.json."""
    config_digest = transaction.add_blob(image.config_data)
    source_digest = None
    if image.source_manifest is not None:
        source_digest = transaction.add_blob(image.source_manifest)
    return describe(transaction, config_digest, len(image.config_data), image, source_digest)


def describe(
    transaction: Transaction,
    config_digest: Digest,
    config_size: int,
    image: PlannedImage,
    source_digest: Digest | None,
) -> list[names.Entry]:
    """Add the manifest under which the store keeps an image; return its lines for index.json."""
    diff_ids = image.config.diff_ids
    layers = [(diff_id, transaction.layer_size(diff_id)) for diff_id in diff_ids]
    data = stored_manifest((config_digest, config_size), layers).to_bytes()
    digest = transaction.add_blob(data)
    return [
        names.Entry(reference, digest, len(data), config_digest, source_digest)
        for reference in image.references or ("",)
    ]


def _split(source: str) -> tuple[str, str]:
    """Split `[PREFIX:]PATH[:NAME]` where the path exists."""
    for prefix in _PREFIXES:
        if source.startswith(prefix) and not os.path.exists(source):
            source = source.removeprefix(prefix)
            break
    if source == "-" or os.path.exists(source):
        return source, ""
    position = source.find(":")
    while position > 0:
        if os.path.exists(source[:position]):
            return source[:position], source[position + 1 :]
        position = source.find(":", position + 1)
    raise NotFound("no such file or folder", source, "give an OCI layout folder or an archive")


@contextmanager
def _opened(store: Store, path: str, progress: Progress) -> Iterator[ImageSource]:
    source = _open(store, path, progress)
    try:
        yield source
    finally:
        source.close()


def _open(store: Store, path: str, progress: Progress) -> ImageSource:
    if path == "-":
        return _open_stdin(store, progress)
    if os.path.isdir(path):
        return LayoutFolder(store, path)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise read_error(path, error) from error
    if stat.S_ISREG(os.fstat(fd).st_mode):
        head = os.pread(fd, PACK_HEAD, 0)
        if is_pack(head):
            return PackSource(store, fd, path)
        if not compression_of(head[:MAGIC_BYTES]):
            return ArchiveFile(store, fd, path)
    with open(fd, "rb", buffering=0) as raw:
        return _read_stream(store, raw, path, progress)


def _open_stdin(store: Store, progress: Progress) -> ImageSource:
    fix = "give a SOURCE, or pipe an archive in: docker save IMAGE | rootless load"
    fd = os.dup(piped("nothing to load", fix))
    with open(fd, "rb", buffering=0) as raw:
        return _read_stream(store, raw, STANDARD_INPUT, progress)


def _read_stream(store: Store, raw: ByteStream, what: str, progress: Progress) -> ImageSource:
    source = ArchiveStream(store, what, _known_layers(store).get)
    try:
        with opened(raw, what) as plain:
            source.read(plain, progress)
    except BaseException:
        source.close()
        raise
    return source


def _known_layers(store: Store) -> dict[Digest, Digest]:
    """Return the diff IDs of the store's layers by every digest that a source may call them."""
    known: dict[Digest, Digest] = {}
    for entry in chain(*(listed for _, listed in names.entries_of_all(store))):
        with suppress(NotFound, IntegrityError):  # this may be the load that mends the image
            image = names.read_image(store, entry)
            diff_ids = image.config.diff_ids
            known.update(zip(diff_ids, diff_ids, strict=True))
            if image.source_digest is not None:
                data = store.read_blob(image.source_digest, MAX_MANIFEST_BYTES)
                layers = (layer.digest for layer in parse_manifest(data).layers)
                known.update(zip(layers, diff_ids, strict=False))
    return {digest: diff_id for digest, diff_id in known.items() if store.has_layer(diff_id)}
