"""Images from one place to another: the whole of `rootless copy` but its printing.

What has a manifest is copied as it is, so that its digest stays; plain tars (the store's, a docker
archive's) are compressed on the way. The store takes no part unless it is named. What talks to
registries is imported where one is meant: it costs a tenth of a second.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import trio

from rootless.errors import InvalidInput, NotFound
from rootless.image import gc, names
from rootless.image.decompress import MAGIC_BYTES, compression_of
from rootless.image.load import load
from rootless.image.source import ArchiveFile, LayoutFolder, open_regular
from rootless.image.store import Store
from rootless.image.tag import tag
from rootless.lazy.needed import resolve_whole
from rootless.oci.descriptor import Platform
from rootless.oci.digest import Digest, sha256_of
from rootless.oci.image_index import host_platform
from rootless.oci.reference import parse_reference
from rootless.transfer import tasks
from rootless.transfer.compression import GZIP, Compression
from rootless.transfer.described import Copier, CopyOptions, chosen, unpacked
from rootless.transfer.destination import Destination, DirDestination, LayoutDestination
from rootless.transfer.docker_archive import DockerArchive, plain_image
from rootless.transfer.files import FolderFiles, TarFiles
from rootless.transfer.known_blobs import (
    KnownBlob,
    by_diff_id,
    known_blobs,
    lenders,
    own_blobs,
)
from rootless.transfer.made_layers import MadeLayers
from rootless.transfer.new_file import new_folder
from rootless.transfer.origin import DirOrigin, LayoutOrigin, Origin
from rootless.transfer.outgoing import OutgoingImage, of_store
from rootless.transfer.places import REGISTRY, STORE, Place
from rootless.transfer.progress import Progress
from rootless.transfer.pull_options import Check
from rootless.transfer.save import layout_folder, output_fd, reading
from rootless.transfer.send import Sender, SendOptions
from rootless.transfer.signatures import PlaceCheck

if TYPE_CHECKING:
    from rootless.registry.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """How to copy.

    Attributes:
        platform: Which image of an index; None for the host's.
        whole: The index itself, and all its images.
        docker: A manifest of Docker's (True), of OCI's (False), or as it is (None).
        compression: Of layers that are plain tars; None for gzip, or as they came.
        source: What was configured for the source's registry; None where it is none.
        destination: For the destination's.
        check_offer: Checks what the source's registry offers; None lets all pass.
        check_place: Checks where else the source is.
    """

    platform: Platform | None = None
    whole: bool = False
    docker: bool | None = None
    compression: Compression | None = None
    source: "Settings | None" = None
    destination: "Settings | None" = None
    check_offer: Check | None = None
    check_place: PlaceCheck | None = None


def copy(
    store: Store, source: Place, destination: Place, options: Options, progress: Progress
) -> Digest:
    """Copy an image, or an index with all its images; return the manifest's digest.

    Raises:
        NotFound: The image is not there.
        InvalidInput: It cannot go there.
        IntegrityError: It is damaged.
        StoreError: It cannot be written.
    """
    if options.check_place is not None and source.transport not in (REGISTRY, STORE):
        options.check_place(source.transport, source.path)
    if destination.transport == STORE:
        return _into_store(store, source, destination, options, progress)
    with reading(store):
        digest = tasks.run(lambda: _copy(store, source, destination, options, progress))
    gc.collect_if_due(store)
    return digest


async def _copy(
    store: Store, source: Place, destination: Place, options: Options, progress: Progress
) -> Digest:
    if source.transport in (STORE, "docker-archive"):
        with _plain(store, source) as image:
            return await _send(store, image, source, destination, options, progress)
    given = [destination.name] if destination.name else []
    platform = options.platform or host_platform()
    async with opened_origin(store, source, options) as origin:
        if destination.transport == "docker-archive":
            image = await unpacked(origin, await chosen(origin, await origin.top(), platform))
            return await _write_docker_archive(image, destination, given, progress)
        async with opened_destination(store, destination, options, _lender(source)) as there:
            how = CopyOptions(platform, options.whole, options.docker)
            digest = await Copier(origin, there, how, progress).copy(given)
            await there.finish()
            return digest


async def _send(  # noqa: PLR0917 - as `copy`, and the image
    store: Store,
    image: OutgoingImage,
    source: Place,
    destination: Place,
    options: Options,
    progress: Progress,
) -> Digest:
    """Copy an image of plain tars."""
    if options.whole:
        raise InvalidInput("there is no index to be copied", str(source), "leave out --all")
    given = [destination.name] if destination.name else image.names
    if destination.transport == "docker-archive":
        return await _write_docker_archive(image, destination, given, progress)
    is_ours = source.transport == STORE
    known: tuple[KnownBlob, ...] = ()
    if is_ours and destination.transport == REGISTRY:
        own = own_blobs(store, image.original) if image.original is not None else ()
        known = (*known_blobs(store), *own)
    async with opened_destination(store, destination, options, partial(lenders, known)) as there:
        sender = Sender(
            there,
            _send_options(destination, options),
            progress,
            MadeLayers(store) if is_ours else None,
            by_diff_id(known),
        )
        digest = await sender.send(image, given)
        await there.finish()
        return digest


def settings(given: "Settings | None") -> "Settings":
    """Return what was configured for a registry."""
    from rootless.registry.settings import Settings  # noqa: PLC0415 - see above

    return given or Settings.load()


def _lender(source: Place) -> Callable[[str, Digest], Sequence[str]]:
    """Return who may lend the blobs of a copy: the repository that it comes from."""
    if source.transport != REGISTRY:
        return lambda _domain, _digest: ()
    reference = parse_reference(source.path).canonical()
    return lambda domain, _digest: (reference.path,) if reference.domain == domain else ()


def _send_options(destination: Place, options: Options) -> SendOptions:
    return SendOptions(
        options.compression or GZIP,
        is_forced=options.compression is not None,
        docker=options.docker,
        prefers_plain=destination.transport != REGISTRY,
    )


async def _write_docker_archive(
    image: OutgoingImage, destination: Place, given: Sequence[str], progress: Progress
) -> Digest:
    def write() -> None:
        with output_fd(destination.path) as fd:
            files = TarFiles(fd, destination.path)
            archive = DockerArchive(files)
            archive.add(image, given, progress)
            archive.finish()
            files.end()

    await trio.to_thread.run_sync(write)
    return sha256_of(image.config_data)


@asynccontextmanager
async def opened_origin(store: Store, place: Place, options: Options) -> AsyncIterator[Origin]:
    """Give an image that has a manifest."""
    if place.transport == REGISTRY:
        from rootless.transfer.registry_origin import registry_origin  # noqa: PLC0415 - see above

        configured = settings(options.source)
        async with registry_origin(place.path, configured, options.check_offer) as origin:
            yield origin
    elif place.transport == "dir":
        yield DirOrigin(place.path, LayoutFolder(store, place.path))
    else:
        with _files(store, place) as files:
            yield LayoutOrigin(files, place.name)


@asynccontextmanager
async def opened_destination(
    store: Store, place: Place, options: Options, lend: Callable[[str, Digest], Sequence[str]]
) -> AsyncIterator[Destination]:
    """Give where blobs and manifests go; files are there once the block has ended well."""
    if place.transport == REGISTRY:
        from rootless.transfer.registry_destination import (  # noqa: PLC0415 - see above
            registry_destination,
        )

        configured = settings(options.destination)
        async with registry_destination(place.path, configured, store.scratch, lend) as repository:
            yield repository
    elif place.transport == "oci":
        with layout_folder(place.path) as layout:
            yield layout
    elif place.transport == "dir":
        with new_folder(place.path) as folder:
            yield DirDestination(FolderFiles(folder, place.path))
    else:
        with output_fd(place.path) as fd:
            files = TarFiles(fd, place.path)
            yield LayoutDestination(files)
            files.end()


@contextmanager
def _plain(store: Store, place: Place) -> Iterator[OutgoingImage]:
    """Give an image whose layers are plain tars."""
    if place.transport == STORE:
        yield of_store(store, resolve_whole(store, place.path))
    else:
        with _files(store, place) as files:
            yield plain_image(files, place.name)


@contextmanager
def _files(store: Store, place: Place) -> Iterator[LayoutFolder | ArchiveFile]:
    """Give the files of a layout or an archive."""
    if not os.path.exists(place.path):
        raise NotFound("no such file or folder", place.path)
    if os.path.isdir(place.path):
        if place.transport != "oci":
            raise InvalidInput("a folder is no archive", place.path, f"write oci:{place.path}")
        yield LayoutFolder(store, place.path)
        return
    if place.transport == "oci":
        raise InvalidInput("not a folder", place.path, f"write oci-archive:{place.path}")
    fd = open_regular(place.path)
    if compression_of(os.pread(fd, MAGIC_BYTES, 0)):
        os.close(fd)
        fix = "decompress it, or load it: rootless load"
        raise InvalidInput("the archive is compressed as a whole", place.path, fix)
    files = ArchiveFile(store, fd, place.path)
    try:
        yield files
    finally:
        files.close()


def _into_store(
    store: Store, source: Place, destination: Place, options: Options, progress: Progress
) -> Digest:
    if options.whole:
        raise InvalidInput("the store keeps images, no indexes", "--all", "leave it out")
    if source.transport == REGISTRY:
        from rootless.transfer.pull import pull  # noqa: PLC0415 - see above
        from rootless.transfer.pull_options import PullOptions  # noqa: PLC0415

        how = PullOptions(
            settings(options.source), platform=options.platform, check=options.check_offer
        )
        pulled = pull(store, source.path, how, progress)
        tag(store, pulled.reference, [destination.path])
    elif source.transport == STORE:
        tag(store, source.path, [destination.path])
    elif source.transport == "dir":
        raise InvalidInput("no image is loaded from `dir:`", str(source), "copy it to oci: first")
    else:
        load(store, str(source), name=destination.path, platform=options.platform)
    return names.resolve(store, destination.path).manifest_digest
