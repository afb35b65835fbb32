"""Docker archives: what `docker load` and `podman load` read, layers as plain tars.

    manifest.json        the images: config, names, layers
    HEX.json             a config; HEX is the image ID
    HEX.tar              a layer; HEX is its diff ID

The older `repositories` and a folder for each layer are left out: since Docker 1.10 nobody reads
them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rootless.errors import IntegrityError, InvalidInput
from rootless.image import decompress
from rootless.image.byte_stream import ByteStream, read_up_to
from rootless.image.plan import PlannedLayer, plan
from rootless.image.source import ArchiveFile, LayoutFolder
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.oci.document import to_bytes
from rootless.oci.image_index import host_platform
from rootless.oci.reference import parse_reference
from rootless.transfer.files import TarFiles
from rootless.transfer.outgoing import Hashed, OutgoingImage, OutgoingLayer
from rootless.transfer.progress import Progress, State

_STEP = 1 << 20


class DockerArchive:
    """Writes one archive.

    Args:
        files: Where to.
    """

    def __init__(self, files: TarFiles) -> None:
        self._files = files
        self._images: dict[Digest, dict[str, Any]] = {}

    def add(self, image: OutgoingImage, names: Sequence[str], progress: Progress) -> None:
        """Write an image; one that is in the archive already gets further names.

        Raises:
            IntegrityError: A layer is not what it is called.
        """
        digest = sha256_of(image.config_data)
        tags = [_tag(name) for name in names]
        if digest in self._images:
            known = self._images[digest]["RepoTags"]
            known += [tag for tag in tags if tag not in known]
            return
        for layer in image.layers:
            if not self._files.has(_layer_name(layer.diff_id)):
                self._write_layer(layer, progress)
        config_name = f"{hex_of(digest)}.json"
        self._files.write(config_name, image.config_data)
        self._images[digest] = {
            "Config": config_name,
            "RepoTags": tags,
            "Layers": [_layer_name(layer.diff_id) for layer in image.layers],
        }

    def finish(self) -> None:
        """Write the list of the images, which is read first and written last."""
        self._files.write("manifest.json", to_bytes(list(self._images.values())))

    def _write_layer(self, layer: OutgoingLayer, progress: Progress) -> None:
        size = layer.size if layer.size >= 0 else None
        meter = progress.begin(layer.diff_id, size)
        with layer.open() as raw, self._files.create(_layer_name(layer.diff_id), size) as output:
            tar = Hashed(raw, meter.advance)
            while chunk := tar.read(_STEP):
                output.write(chunk)
            if tar.digest() != layer.diff_id:
                raise IntegrityError("wrong diff ID", layer.diff_id, f"the tar is {tar.digest()}")
        meter.enter(State.DONE)


def plain_image(files: LayoutFolder | ArchiveFile, wanted: str) -> OutgoingImage:
    """Return the image of an archive that is called *wanted*; "" where there is but one.

    Raises:
        InvalidInput: It is no archive of images, or several are meant.
        NotFound: None is called so.
    """
    images = plan(files, wanted, host_platform())
    if len(images) > 1:
        named = ", ".join(name for image in images[:5] for name in image.references)
        raise InvalidInput("several images are in the archive", files.what, f"name one: {named}")
    image = images[0]
    return OutgoingImage(
        what=files.what,
        names=image.references,
        config_data=image.config_data,
        config=image.config,
        layers=tuple(_layer_of(files, layer) for layer in image.layers),
    )


def _layer_of(files: LayoutFolder | ArchiveFile, layer: PlannedLayer) -> OutgoingLayer:
    @contextmanager
    def open_tar() -> Iterator[ByteStream]:
        with files.window(layer.name) as window:
            if window is None:
                raise IntegrityError("layer is missing", f"{layer.name} of {files.what}")
            with decompress.opened(window, layer.name) as tar:
                yield tar

    with files.window(layer.name) as window:
        is_plain = window is not None and not decompress.compression_of(
            read_up_to(window, decompress.MAGIC_BYTES)
        )
        size = window.size if window is not None and is_plain else -1
    return OutgoingLayer(layer.diff_id, size, open_tar)


def _layer_name(diff_id: Digest) -> str:
    return f"{hex_of(diff_id)}.tar"


def _tag(name: str) -> str:
    reference = parse_reference(name).canonical()
    if reference.digest is not None:
        raise InvalidInput("a name in a docker archive cannot hold a digest", name, "give a tag")
    return str(reference)
