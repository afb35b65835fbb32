"""Which image a name means: through registries, tags, indexes and platforms, to one manifest.

Only small documents are read here, each verified; what they can show to be wrong is found before a
layer is asked for. Registries count who asks for manifests, but not who asks for their digests
alone: so the digest comes first, and what has it is looked for in the store.
"""

from contextlib import suppress
from dataclasses import dataclass

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image import plan
from rootless.image.plan import PlannedImage
from rootless.image.store import Store
from rootless.oci.descriptor import IMAGE_INDEXES, Descriptor, Platform
from rootless.oci.digest import Digest
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES
from rootless.oci.image_config import parse_image_config
from rootless.oci.image_index import host_platform, matches, parse_image_index
from rootless.oci.manifest import parse_manifest
from rootless.registry.manifest_type import media_type_of
from rootless.registry.repository import Fetched, Repository

_MAX_DEPTH = 4  # an index of an index is rare, more is an attack


@dataclass(frozen=True, slots=True)
class Found:
    """The documents that a name leads to.

    Attributes:
        manifest: The manifest of one image.
        index: The index at the top; None where the name leads to the manifest directly.
    """

    manifest: Fetched
    index: Fetched | None


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one repository; those that the store has are not asked for again.

    Attributes:
        store: Keeps them, without a name yet, for other pulls of the same moment too.
        repository: Where they are.
        platform: Which image of an index; None for the host's.
    """

    store: Store
    repository: Repository
    platform: Platform | None

    async def digest_of(self, tag: str) -> Digest:
        """Ask the registry what a tag stands for; raises NotFound where it does not know it."""
        head = await self.repository.head(tag)
        if head is not None:
            return head.digest
        return self._kept(await self.repository.manifest(tag)).digest

    async def by_digest(self, digest: Digest) -> Fetched:
        """Return a manifest or an index."""
        with suppress(NotFound, IntegrityError):
            data = self.store.read_blob(digest, MAX_MANIFEST_BYTES)
            return Fetched(data, media_type_of(data, "", digest), digest)
        return self._kept(await self.repository.manifest(digest))

    async def find(self, top: Fetched) -> Found:
        """Go from the document at the top to the manifest for the platform.

        Raises:
            InvalidInput: There is none for the platform, or it is no image.
            IntegrityError: The documents are nested too deeply, or not what they claim to be.
        """
        found = top
        for _ in range(_MAX_DEPTH):
            if not _is_index(found):
                return Found(found, None if found is top else top)
            group = parse_image_index(found.data).manifests
            chosen = plan.choose_for(group, self.platform or host_platform())
            found = await self.by_digest(chosen.digest)
            if len(found.data) != chosen.size:
                fix = f"the index says {chosen.size} bytes, {len(found.data)} came"
                raise IntegrityError("wrong size", chosen.digest, fix)
        raise IntegrityError("image indexes are nested too deeply", top.digest)

    async def image(self, found: Found) -> PlannedImage:
        """Read the config, and plan what is to be downloaded; the image has no name yet.

        Raises:
            InvalidInput: It is no image, or for another platform than the one asked for.
            IntegrityError: The config is damaged, or does not fit the manifest.
        """
        manifest = parse_manifest(found.manifest.data)
        data = await self._config(manifest.config)
        config = parse_image_config(data)
        if self.platform is not None and not matches(self.platform, config.platform):
            fix = f"it is for {config.platform}"
            raise InvalidInput("image is not for the platform", str(self.platform), fix)
        layers = plan.layers_of(manifest, config, found.manifest.digest)
        return PlannedImage((), data, config, layers, found.manifest.data)

    def _kept(self, document: Fetched) -> Fetched:
        self.store.write_blob(document.data)
        return document

    async def _config(self, descriptor: Descriptor) -> bytes:
        with suppress(NotFound, IntegrityError):
            return self.store.read_blob(descriptor.digest, MAX_CONFIG_BYTES)
        data = await self.repository.read_blob(descriptor, MAX_CONFIG_BYTES)
        self.store.write_blob(data)
        return data


def _is_index(document: Fetched) -> bool:
    """Tell an index from a manifest; raises where it could be read as either, or is neither."""
    kind = media_type_of(document.data, document.media_type, document.digest)
    return kind in IMAGE_INDEXES
