"""Images that come with a manifest: out of layouts, archives and `dir:`; see `registry_origin`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image.byte_stream import ByteStream
from rootless.image.plan import is_meant, label_of
from rootless.image.source import ArchiveFile, LayoutFolder
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, parse_document
from rootless.oci.image_index import parse_image_index
from rootless.transfer.destination import OpenAt


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest or an index.

    Attributes:
        data: Its bytes.
        media_type: What it is.
    """

    data: bytes
    media_type: str


class Origin(Protocol):
    """Gives documents and blobs."""

    @property
    def what(self) -> str:
        """What the user called it."""

    async def top(self) -> Document:
        """Return the manifest or the index that is named."""

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """Return a manifest or an index that an index names, verified."""

    async def config(self, descriptor: Descriptor) -> bytes:
        """Return a config, verified."""

    def opener(self, descriptor: Descriptor) -> OpenAt:
        """Return what opens a blob, in a thread."""


class LayoutOrigin:
    """One image, or index, of an OCI layout or archive.

    Args:
        files: The layout's.
        wanted: Its name there; "" where there is but one.
    """

    def __init__(self, files: LayoutFolder | ArchiveFile, wanted: str) -> None:
        self._files = files
        self._wanted = wanted

    @property
    def what(self) -> str:
        """What the user called it."""
        return f"{self._files.what}:{self._wanted}".rstrip(":")

    async def top(self) -> Document:
        """Return the manifest or the index that is named."""
        index = self._files.document("index.json", MAX_MANIFEST_BYTES)
        if index is None:
            raise InvalidInput("not an OCI layout", self._files.what, "index.json is not there")
        found = list(parse_image_index(index).manifests)
        if self._wanted:
            found = [each for each in found if is_meant(label_of(each), self._wanted)]
        if not found:
            raise NotFound("no such image in the layout", self.what)
        if len({each.digest for each in found}) > 1:
            names = ", ".join(sorted(filter(None, map(label_of, found)))[:5])
            raise InvalidInput("several images are in the layout", self.what, f"name one: {names}")
        data = await self.manifest(found[0])
        return Document(data, found[0].media_type or media_type_of(data))

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """Return a manifest or an index that an index names, verified."""
        return self._document(descriptor, MAX_MANIFEST_BYTES)

    async def config(self, descriptor: Descriptor) -> bytes:
        """Return a config, verified."""
        return self._document(descriptor, MAX_CONFIG_BYTES)

    def opener(self, descriptor: Descriptor) -> OpenAt:
        """Return what opens a blob, in a thread."""

        @contextmanager
        def open_at(offset: int) -> Iterator[ByteStream]:
            with self._files.window(_blob_name(descriptor.digest), offset) as window:
                if window is None:
                    raise _missing(descriptor, self.what)
                yield window

        return open_at

    def _document(self, descriptor: Descriptor, limit: int) -> bytes:
        return verified(self._files.document(_blob_name(descriptor.digest), limit), descriptor)


class DirOrigin:
    """What skopeo calls `dir:`."""

    def __init__(self, path: str, files: LayoutFolder) -> None:
        self._path = path
        self._files = files

    @property
    def what(self) -> str:
        """What the user called it."""
        return self._path

    async def top(self) -> Document:
        """Return manifest.json."""
        data = self._files.document("manifest.json", MAX_MANIFEST_BYTES)
        if data is None:
            raise NotFound("no image of skopeo's `dir:`", self._path, "manifest.json is missing")
        return Document(data, media_type_of(data))

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """Return a manifest or an index that an index names, verified."""
        name = f"{hex_of(descriptor.digest)}.manifest.json"
        return verified(self._files.document(name, MAX_MANIFEST_BYTES), descriptor)

    async def config(self, descriptor: Descriptor) -> bytes:
        """Return a config, verified."""
        name = hex_of(descriptor.digest)
        return verified(self._files.document(name, MAX_CONFIG_BYTES), descriptor)

    def opener(self, descriptor: Descriptor) -> OpenAt:
        """Return what opens a blob, in a thread."""

        @contextmanager
        def open_at(offset: int) -> Iterator[ByteStream]:
            with self._files.window(hex_of(descriptor.digest), offset) as window:
                if window is None:
                    raise _missing(descriptor, self._path)
                yield window

        return open_at


def media_type_of(data: bytes) -> str:
    """Return what a manifest or an index is, by what it says or by what is in it."""
    node = parse_document(data, "manifest")
    stated = node.text("mediaType")
    if stated:
        return stated
    if node.get("manifests") is not None:
        return media.IMAGE_INDEX
    config = node.get("config")
    docker = config is not None and config.text("mediaType") == media.DOCKER_CONFIG
    return media.DOCKER_MANIFEST if docker else media.MANIFEST


def verified(data: bytes | None, descriptor: Descriptor) -> bytes:
    """Return a document that is what its descriptor says; raises IntegrityError."""
    if data is None:
        raise IntegrityError("blob is missing", str(descriptor.digest))
    if sha256_of(data) != descriptor.digest:
        raise IntegrityError("wrong digest", descriptor.digest, f"the content is {sha256_of(data)}")
    if len(data) != descriptor.size:
        fix = f"the content has {len(data)} bytes, the descriptor says {descriptor.size}"
        raise IntegrityError("wrong size", descriptor.digest, fix)
    return data


def _blob_name(digest: Digest) -> str:
    return f"blobs/sha256/{hex_of(digest)}"


def _missing(descriptor: Descriptor, what: str) -> IntegrityError:
    return IntegrityError("blob is missing", f"{descriptor.digest} of {what}")
