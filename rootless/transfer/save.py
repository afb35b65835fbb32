"""Images of the store into files: the whole of `rootless save` but its printing."""

import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from rootless.errors import InvalidInput, StoreError
from rootless.image import gc, lock
from rootless.image.store import Store
from rootless.lazy.needed import resolve_whole
from rootless.oci.document import MAX_MANIFEST_BYTES
from rootless.oci.image_index import parse_image_index
from rootless.transfer import tasks
from rootless.transfer.compression import GZIP, NONE, Compression
from rootless.transfer.destination import Destination, DirDestination, LayoutDestination
from rootless.transfer.docker_archive import DockerArchive
from rootless.transfer.files import FolderFiles, TarFiles
from rootless.transfer.made_layers import MadeLayers
from rootless.transfer.new_file import explained, new_file, new_folder
from rootless.transfer.outgoing import OutgoingImage, of_store
from rootless.transfer.progress import Progress, Silent
from rootless.transfer.send import Sender, SendOptions

FORMATS = ("docker-archive", "oci-archive", "oci-dir", "docker-dir")


def save(
    store: Store,
    wanted: Sequence[str],
    output: str,
    *,
    form: str = "docker-archive",
    compression: Compression | None = None,
    progress: Progress | None = None,
) -> None:
    """Write images into an archive or a folder.

    Args:
        store: Where they are.
        wanted: Names or IDs.
        output: A path; "" for standard output.
        form: One of `FORMATS`.
        compression: Of the layers in OCI's forms and docker-dir; None for gzip.
        progress: Who is told.

    Raises:
        NotFound: No such image.
        InvalidInput: The form cannot hold them.
        StoreError: It cannot be written.
    """
    if form not in FORMATS:
        raise InvalidInput("no such format", form, f"one of {', '.join(FORMATS)}")
    if form.endswith("-dir") and not output:
        raise InvalidInput("a folder cannot be written to standard output", form, "give -o DIR")
    if form == "docker-dir" and len(wanted) > 1:
        raise InvalidInput("docker-dir holds one image", wanted[1], "use oci-dir or an archive")
    if form == "docker-archive" and compression not in (None, NONE):
        fix = "use --format oci-archive, or compress the archive"
        raise InvalidInput("layers in a docker archive are not compressed", form, fix)
    with reading(store):
        images = [of_store(store, resolve_whole(store, each)) for each in wanted]
        told = progress or Silent()
        if form == "docker-archive":
            _docker_archive(images, output, told)
            return
        options = SendOptions(
            compression or GZIP,
            is_forced=compression is not None,
            docker=form == "docker-dir",
        )
        with _opened(form, output) as destination:
            sender = Sender(destination, options, told, MadeLayers(store))
            tasks.run(partial(_send, sender, destination, images))
        gc.collect_if_due(store)


@contextmanager
def reading(store: Store) -> Iterator[None]:
    """Keep what a name leads to from being collected meanwhile, where the store can be written."""
    with ExitStack() as held:
        with suppress(StoreError):  # a read-only one: nobody collects there
            held.enter_context(lock.shared(store.lock_path(lock.STORE_LOCK)))
        yield


@contextmanager
def output_fd(output: str) -> Iterator[int]:
    """Give where an archive is written to: a new file, or standard output for "" and "-"."""
    if output not in ("", "-", "/dev/stdout"):
        with new_file(output) as fd:
            yield fd
        return
    if sys.stdout.isatty():
        fix = "redirect standard output, or name a file with -o"
        raise InvalidInput("no archive is written to a terminal", "standard output", fix)
    sys.stdout.flush()
    yield sys.stdout.fileno()


@contextmanager
def layout_folder(output: str) -> Iterator[LayoutDestination]:
    """Give an OCI layout: one that is there gets further images, else a new one is made."""
    if os.path.exists(os.path.join(output, "oci-layout")):
        files = FolderFiles(Path(output), output)
        with explained(output), locked(output):
            data = files.read("index.json", MAX_MANIFEST_BYTES + 1)
            yield LayoutDestination(files, parse_image_index(data) if data else None)
        return
    with new_folder(output) as folder:
        yield LayoutDestination(FolderFiles(folder, output))


@contextmanager
def locked(folder: str) -> Iterator[None]:
    """Be the only one who changes a layout's list of images, where there are locks."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextmanager
def _opened(form: str, output: str) -> Iterator[Destination]:
    if form == "oci-dir":
        with layout_folder(output) as layout:
            yield layout
    elif form == "docker-dir":
        with new_folder(output) as folder:
            yield DirDestination(FolderFiles(folder, output))
    else:
        with output_fd(output) as fd:
            files = TarFiles(fd, output or "standard output")
            yield LayoutDestination(files)
            files.end()


async def _send(sender: Sender, destination: Destination, images: Sequence[OutgoingImage]) -> None:
    for image in images:
        await sender.send(image, image.names)
    await destination.finish()


def _docker_archive(images: Sequence[OutgoingImage], output: str, progress: Progress) -> None:
    with output_fd(output) as fd:
        files = TarFiles(fd, output or "standard output")
        archive = DockerArchive(files)
        for image in images:
            archive.add(image, image.names, progress)
        archive.finish()
        files.end()
