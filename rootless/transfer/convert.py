"""An image in another form: all of `rootless convert` but its printing and `--to dir`.

The store keeps layers as plain tars. So layers in another form go where blobs are kept as they are:
an OCI layout, an archive, a registry.
"""

import os
from dataclasses import replace

from rootless.errors import InvalidInput
from rootless.image import gc, trees
from rootless.image.image_tar import image_chunks
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.lazy.needed import resolve_whole
from rootless.oci.digest import Digest
from rootless.transfer.compression import parse_compression
from rootless.transfer.copy import Options, copy
from rootless.transfer.places import STORE, Place, parse_place
from rootless.transfer.progress import Progress, State
from rootless.transfer.save import reading
from rootless.transfer.squashfs_file import write_squashfs

FORMS = ("estargz", "zstd-chunked", "oci", "oci-archive", "docker-archive", "squashfs", "dir")
_CHUNKED = ("estargz", "zstd-chunked")


def place_for(form: str, destination: str) -> Place:
    """Return where a form goes that consists of layers; raises InvalidInput.

    A destination without a transport is an archive, or a folder for "oci".
    """
    place = parse_place(destination)
    if form in _CHUNKED:
        if place.transport == "docker-archive":
            fix = "layers in a docker archive are plain tars"
            raise InvalidInput(f"no {form} layers there", destination, fix)
        own = "oci" if os.path.isdir(destination) else "oci-archive"
    else:
        own = form
        if place.transport not in (STORE, own):
            raise InvalidInput(f"not {form}", destination, "give a path, or use `rootless copy`")
    return place if place.transport != STORE else parse_place(f"{own}:{destination}")


def convert_layers(  # noqa: PLR0917 - as `copy`, and the form
    store: Store, name: str, form: str, place: Place, options: Options, progress: Progress
) -> Digest:
    """Write an image in a form that consists of layers; return its manifest's digest."""
    if form in _CHUNKED:
        options = replace(options, compression=parse_compression(form))
    return copy(store, Place(STORE, name), place, options, progress)


def convert_to_squashfs(
    store: Store, name: str, output: str, compressor: str, progress: Progress
) -> None:
    """Write an image's whole file system as a squashfs file."""
    with reading(store):
        image = resolve_whole(store, name)
        meter = progress.begin(image.config_digest, None)
        meter.enter(State.UPLOADING)
        root_mode, newest = _root_mode_and_newest(store, image)
        write_squashfs(
            image_chunks(store, image),
            output,
            root_mode=root_mode,
            newest=max(0, min(newest, (1 << 32) - 1)),
            compressor=compressor,
            advance=meter.advance,
        )
        meter.enter(State.DONE)
    gc.collect_if_due(store)


def _root_mode_and_newest(store: Store, image: Image) -> tuple[int, int]:
    """Return the root directory's permissions, and the latest time of a file in seconds."""
    with trees.open_tree(trees.ensure_tree(store, image.config)) as tree:
        found = [(inode.mode, inode.mtime_ns) for path, inode in tree.walk()]
    return found[0][0] & 0o7777, max(time_ns for _, time_ns in found) // 10**9
