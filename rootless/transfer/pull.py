"""Images out of registries into the store: the whole of `rootless pull` but its printing.

The documents first, then several layers at once, each committed by itself, and the image's name
last of all. What was cut short leaves verified layers, which the next pull finds there, and the
beginnings of blobs, which it goes on with (`rootless.image.partial`).
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import trio

from rootless.errors import AccessDenied, InvalidInput, NotFound, RootlessError
from rootless.image import gc, lock, names, trees
from rootless.image.load import describe
from rootless.image.names import Entry
from rootless.image.plan import PlannedImage
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, hex_of
from rootless.oci.document import MAX_CONFIG_BYTES
from rootless.oci.image_index import host_platform, matches
from rootless.oci.manifest import parse_manifest
from rootless.oci.reference import Reference, parse_reference
from rootless.registry.client import Registry
from rootless.registry.repository import Repository
from rootless.registry.settings import candidates
from rootless.transfer import tasks
from rootless.transfer.lazily import complete_layer
from rootless.transfer.progress import Progress, State
from rootless.transfer.pull_layer import LayerPull
from rootless.transfer.pull_manifest import Documents, Found
from rootless.transfer.pull_options import Offer, PulledImage, PullOptions

log = logging.getLogger(__name__)

_POLL_S = 0.05


def pull(store: Store, name: str, options: PullOptions, progress: Progress) -> PulledImage:
    """Bring the image that a registry has by *name* into the store, if it is another one.

    Raises:
        NotFound: No registry that is asked has it.
        InvalidInput: The name is none, or what it leads to is no image that runs here.
        RegistryError: The network or the registry fails.
        IntegrityError: What came is damaged or hostile.
        StoreError: The store cannot take it. What was downloaded is kept: the next pull goes on.
    """
    with Transaction(store) as transaction:
        pulling = _Pulling(store, transaction, options, progress)
        image = tasks.run(lambda: pulling.first_of(candidates(name, options.settings)))
    gc.collect_if_due(store)
    return image


def pull_all_tags(
    store: Store, name: str, options: PullOptions, progress: Progress
) -> list[PulledImage]:
    """Bring in every image of a repository, as `pull` does each."""
    if parse_reference(name) != replace(parse_reference(name), tag="", digest=None):
        raise InvalidInput("a tag has no meaning with --all-tags", name, "give the repository")
    with Transaction(store) as transaction:
        pulling = _Pulling(store, transaction, options, progress)
        images = tasks.run(lambda: pulling.all_of(candidates(name, options.settings)))
    gc.collect_if_due(store)
    return images


@dataclass(frozen=True, slots=True)
class _Pulling:
    store: Store
    transaction: Transaction
    options: PullOptions
    progress: Progress

    async def first_of(self, references: Sequence[Reference]) -> PulledImage:
        """Pull from the first registry that has the image."""
        errors: list[RootlessError] = []
        async with Registry(self.options.settings) as registry:
            for reference in references:
                repository = registry.repository(reference)
                try:
                    return await self.one(reference, repository)
                except (NotFound, AccessDenied) as error:  # many say so of what is not there
                    log.debug("%s", error)
                    errors.append(error)
        raise _not_found(errors)

    async def all_of(self, references: Sequence[Reference]) -> list[PulledImage]:
        """Pull every tag of the first repository that there is."""
        errors: list[RootlessError] = []
        async with Registry(self.options.settings) as registry:
            for reference in references:
                repository = registry.repository(reference)
                try:
                    tags = await repository.tags()
                except (NotFound, AccessDenied) as error:
                    errors.append(error)
                    continue
                return [await self.one(replace(reference, tag=tag), repository) for tag in tags]
        raise _not_found(errors)

    async def one(self, reference: Reference, repository: Repository) -> PulledImage:
        """Pull one image, unless it is there."""
        reference = reference.canonical()
        if reference.digest:
            reference = replace(reference, tag="")  # the digest says more
        documents = Documents(self.store, repository, self.options.platform)
        digest = reference.digest or await documents.digest_of(reference.tag)
        known = _known(self.store, reference)
        unchanged = known if known and self._is_unchanged(known, digest) else None
        if unchanged is not None and self.options.check is None:
            return PulledImage(unchanged.reference, unchanged.config_digest, is_new=False)
        self.progress.say(f"pulling {reference}")
        found, image = await self._read(documents, digest)
        offer = Offer(reference, repository, self.options.settings, found.manifest, found.index)
        if self.options.check is not None:
            await self.options.check(offer)
        if unchanged is not None:
            return PulledImage(unchanged.reference, unchanged.config_digest, is_new=False)
        await self._take_layers(offer, image)
        return self._name(reference, image, found)

    async def _read(self, documents: Documents, digest: Digest) -> tuple[Found, PlannedImage]:
        """Read the documents; of processes that want the same ones at once, one asks for them."""
        path = self.store.lock_path(f"pull-{hex_of(digest)}")
        while True:
            with lock.exclusive_if_free(path) as is_ours:
                if is_ours:
                    found = await documents.find(await documents.by_digest(digest))
                    return found, await documents.image(found)
            await trio.sleep(_POLL_S)

    def _is_unchanged(self, known: Entry, digest: Digest) -> bool:
        """Tell whether an image of the store is what the registry has, and all of it is there."""
        if digest not in (known.index_digest, known.source_digest):
            return False
        with suppress(RootlessError):  # a damaged one is pulled again
            for document in known.documents():
                self.store.read_blob(document, MAX_CONFIG_BYTES)
            image = names.read_image(self.store, known)
            platform = self.options.platform or (host_platform() if known.index_digest else None)
            return all(map(self.store.has_layer, image.config.diff_ids)) and (
                platform is None or matches(platform, image.config.platform)
            )
        return False

    async def _take_layers(self, offer: Offer, image: PlannedImage) -> None:
        """Take the layers, the lowest first, several at once."""
        came_from = offer.reference.repository
        pulls = LayerPull(
            self.store,
            self.transaction,
            offer.repository,
            keeps_source=self.options.keeps_source,
            name=came_from,
        )
        blobs = parse_manifest(offer.manifest.data).layers
        # a diff ID that comes twice is one layer
        wanted = dict(zip(image.config.diff_ids, blobs, strict=True))
        meters = {d: self.progress.begin(blob.digest, blob.size) for d, blob in wanted.items()}
        left = iter(wanted.items())

        async def work() -> None:
            for diff_id, descriptor in left:
                meter = meters[diff_id]
                if self.options.lazy and await self._is_staged(offer, descriptor, diff_id):
                    meter.enter(State.PRESENT, descriptor.size)
                elif self.options.lazy or not await complete_layer(self.store, diff_id, meter):
                    await pulls.take(descriptor, diff_id, meter)

        async with trio.open_nursery() as nursery:
            for _ in range(min(self.options.layers_at_once, len(wanted))):
                nursery.start_soon(work)

    async def _is_staged(self, offer: Offer, descriptor: Descriptor, diff_id: Digest) -> bool:
        """Tell whether a layer can be used before it is there."""
        stage = self.options.stage
        if stage is None or self.store.has_layer(diff_id):
            return False
        return await stage(self.store, offer, descriptor, diff_id)

    def _name(self, reference: Reference, image: PlannedImage, found: Found) -> PulledImage:
        transaction = self.transaction
        config_digest = transaction.add_blob(image.config_data)
        source_digest = transaction.add_blob(found.manifest.data)
        index_digest = None if found.index is None else transaction.add_blob(found.index.data)
        trees.ensure_tree(self.store, image.config)
        image = replace(image, references=(str(reference),))
        size = len(image.config_data)
        entries = describe(transaction, config_digest, size, image, source_digest)
        transaction.commit([replace(entry, index_digest=index_digest) for entry in entries])
        return PulledImage(str(reference), config_digest, is_new=True)


def _known(store: Store, reference: Reference) -> Entry | None:
    """Return the image that the store has by this very name."""
    with suppress(NotFound):
        found = names.find(store, str(reference))[0]
        own = parse_reference(found.reference).canonical()
        if own.repository == reference.repository:
            return found
    return None


def _not_found(errors: Sequence[RootlessError]) -> RootlessError:
    """Return the error of the one registry that was asked, or of all in one line."""
    if len(errors) == 1:
        return errors[0]
    return NotFound("no such image in any registry", "; ".join(map(str, errors)))
