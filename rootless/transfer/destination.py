"""Where images go that are named by digests: OCI layouts and archives, skopeo's `dir:`.

Everything is asynchronous, as a registry has it; files are written by threads. Blobs come first,
then manifests, names last, so that what a name leads to is there.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import trio

from rootless.errors import IntegrityError
from rootless.image.byte_stream import ByteStream
from rootless.oci.descriptor import REF_NAME, Descriptor
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.oci.image_index import ImageIndex
from rootless.transfer.files import Files
from rootless.transfer.outgoing import Advance, Hashed, SentLayer
from rootless.transfer.progress import Progress

_STEP = 1 << 20
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'

OpenAt = Callable[[int], AbstractContextManager[ByteStream]]
"""Opens a blob at an offset."""
MakeBlob = Callable[[Callable[[bytes], object]], SentLayer]
"""Writes a blob whose digest nobody knows beforehand."""


class Destination(Protocol):
    """Takes blobs and manifests."""

    @property
    def where(self) -> str:
        """What the user called it."""

    @property
    def parallel(self) -> int:
        """How many blobs it takes at a time."""

    @property
    def repositories(self) -> tuple[str, ...]:
        """Which repositories of registries have the blobs from now on: `HOST/NAME`."""

    async def holds(self, descriptor: Descriptor) -> bool:
        """Return whether a blob is there, or could be had from beside; nothing is sent."""

    async def put(self, descriptor: Descriptor, open_at: OpenAt, advance: Advance) -> None:
        """Take a blob, verified."""

    async def make(self, make_blob: MakeBlob, progress: Progress) -> SentLayer:
        """Take a blob that is made on the way; tells of what comes after the making."""

    async def put_manifest(self, data: bytes, media_type: str, names: Sequence[str] | None) -> None:
        """Take a manifest or an index, under these names; None for one that an index names."""

    async def finish(self) -> None:
        """Make visible what is not yet."""


class FileDestination:
    """Blobs as files: what layouts and `dir:` have in common.

    Args:
        files: Where they go.
        folder: What stands before a blob's name.
    """

    repositories: tuple[str, ...] = ()

    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._folder = folder

    @property
    def parallel(self) -> int:
        """How many blobs it takes at a time."""
        return self._files.parallel

    @property
    def where(self) -> str:
        """What the user called it."""
        return self._files.where

    async def holds(self, descriptor: Descriptor) -> bool:
        """Return whether a blob is there."""
        return self._files.has(self._name(descriptor.digest))

    async def put(self, descriptor: Descriptor, open_at: OpenAt, advance: Advance) -> None:
        """Take a blob, verified."""
        await trio.to_thread.run_sync(self._copy, descriptor, open_at, advance)

    async def make(self, make_blob: MakeBlob, progress: Progress) -> SentLayer:
        """Take a blob that is made on the way; it is there once it is made."""
        del progress
        return await trio.to_thread.run_sync(self._make, make_blob)

    def _name(self, digest: Digest) -> str:
        return self._folder + hex_of(digest)

    def _copy(self, descriptor: Descriptor, open_at: OpenAt, advance: Advance) -> None:
        name = self._name(descriptor.digest)
        with open_at(0) as raw, self._files.create(name, descriptor.size) as output:
            stream = Hashed(raw, advance)
            left = descriptor.size
            while left and (chunk := stream.read(min(_STEP, left))):
                trio.from_thread.check_cancelled()
                left -= len(chunk)
                output.write(chunk)
            if left or stream.read(1):
                fix = f"the manifest says {descriptor.size} bytes"
                raise IntegrityError("wrong size", str(descriptor.digest), fix)
            if stream.digest() != descriptor.digest:
                fix = f"the content is {stream.digest()}"
                raise IntegrityError("wrong digest", str(descriptor.digest), fix)

    def _make(self, make_blob: MakeBlob) -> SentLayer:
        with self._files.create(self._folder) as output:
            sent = make_blob(output.write)
            output.name = self._name(sent.descriptor.digest)
        return sent


class LayoutDestination(FileDestination):
    """An OCI image layout: image-spec, image-layout.md.

    Args:
        files: Where it goes.
        before: What its index.json holds already; an image of a name that is given again goes.
    """

    def __init__(self, files: Files, before: ImageIndex | None = None) -> None:
        super().__init__(files, "blobs/sha256/")
        self._entries = list(before.manifests) if before is not None else []

    async def put_manifest(self, data: bytes, media_type: str, names: Sequence[str] | None) -> None:
        """Take a manifest or an index."""
        digest = sha256_of(data)
        if not self._files.has(self._name(digest)):
            self._files.write(self._name(digest), data)
        if names is None:
            return
        self._entries = [e for e in self._entries if e.annotations.get(REF_NAME) not in names]
        for name in names or ("",):
            annotations = {REF_NAME: name} if name else {}
            entry = Descriptor(media_type, digest, len(data), annotations)
            if entry not in self._entries:
                self._entries.append(entry)

    async def finish(self) -> None:
        """Write what makes it a layout, the list of the images last."""
        self._files.write("oci-layout", LAYOUT)
        self._files.write("index.json", ImageIndex(tuple(self._entries)).to_bytes())


class DirDestination(FileDestination):
    """What skopeo calls `dir:`: blobs by their hexadecimal digits, one manifest.json."""

    def __init__(self, files: Files) -> None:
        super().__init__(files, "")

    async def put_manifest(self, data: bytes, media_type: str, names: Sequence[str] | None) -> None:
        """Take a manifest or an index; such a folder keeps no names."""
        del media_type
        if names is None:
            self._files.write(f"{hex_of(sha256_of(data))}.manifest.json", data)
        else:
            self._files.write("manifest.json", data)

    async def finish(self) -> None:
        """Write the version of the format."""
        self._files.write("version", b"Directory Transport Version: 1.1\n")
