"""What images and containers need of a store; and which documents that say so are damaged."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from rootless.errors import IntegrityError, InvalidInput, NotFound, RootlessError, StoreError
from rootless.image import forms, holds
from rootless.image.fault import DOCUMENT, RELOAD, UNREADABLE, Fault
from rootless.image.names import Entry
from rootless.image.store import Store
from rootless.oci.digest import Digest, hex_of, parse_digest, sha256_of
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES
from rootless.oci.image_config import ImageConfig, parse_image_config
from rootless.oci.manifest import parse_manifest, stored_manifest

_Who = dict[str, None]  # a set that keeps its order


@dataclass(slots=True)
class Survey:
    """What is needed, and by whom.

    Attributes:
        layers: Diff IDs.
        chains: Diff IDs of whole images, the lowest layer first.
        sizes: Of layers, as far as manifests tell.
        faults: Of documents.
        documents: Which were read.
    """

    layers: dict[Digest, _Who] = field(default_factory=dict)
    chains: dict[tuple[Digest, ...], _Who] = field(default_factory=dict)
    sizes: dict[Digest, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    documents: set[Digest] = field(default_factory=set)

    def need(self, config: ImageConfig, who: str) -> None:
        """Note what an image is made of."""
        self.chains.setdefault(config.diff_ids, {})[who] = None
        for diff_id in config.diff_ids:
            self.layers.setdefault(diff_id, {})[who] = None


def survey(store: Store, entries: Iterable[Entry], *, containers: bool, repair: bool) -> Survey:
    """Read the documents of images; raises StoreError where none can be read.

    Args:
        store: The store.
        entries: The images.
        containers: What containers need counts, too.
        repair: A manifest that can be made again is.
    """
    found = Survey()
    for entry in dict.fromkeys(entries):
        _survey_image(store, entry, found, repair=repair)
    if containers:
        for who, path in holds.configs_held(store):
            with suppress(IntegrityError, InvalidInput, NotFound, StoreError, OSError):
                if path.stat().st_size <= MAX_CONFIG_BYTES:
                    digest = parse_digest(f"sha256:{path.name}")
                    config = parse_image_config(store.read_blob(digest, MAX_CONFIG_BYTES))
                    if config.diff_ids:
                        found.need(config, who)
    return found


def _survey_image(store: Store, entry: Entry, found: Survey, *, repair: bool) -> None:
    who = entry.reference or hex_of(entry.config_digest)[:12]
    config_data = _read(store, entry.config_digest, MAX_CONFIG_BYTES, who, found)
    config = None
    if config_data is not None:
        with _noted(found, entry.config_digest, who):
            config = parse_image_config(config_data)
            found.need(config, who)
    for digest in entry.documents():
        if digest not in (entry.config_digest, entry.manifest_digest):  # as they came
            _read(store, digest, MAX_MANIFEST_BYTES, who, found)
    data = _read(store, entry.manifest_digest, MAX_MANIFEST_BYTES, who, found)
    if data is None and repair and config is not None and config_data is not None:
        data = _made_again(store, entry, config, len(config_data), found)
    if data is None:
        return
    with _noted(found, entry.manifest_digest, who):
        manifest = parse_manifest(data)
        found.sizes.update((layer.digest, layer.size) for layer in manifest.layers)
        if config is not None and tuple(x.digest for x in manifest.layers) != config.diff_ids:
            found.faults.append(
                Fault(DOCUMENT, entry.manifest_digest, "does not fit its config", (who,), RELOAD)
            )


@contextmanager
def _noted(found: Survey, digest: Digest, who: str) -> Iterator[None]:
    """Note what cannot be parsed."""
    try:
        yield
    except (InvalidInput, IntegrityError) as error:
        found.faults.append(Fault(DOCUMENT, digest, f"damaged: {error}", (who,), RELOAD))


def _read(store: Store, digest: Digest, limit: int, who: str, found: Survey) -> bytes | None:
    """Return a document; None where it is missing or damaged, which is noted."""
    found.documents.add(digest)
    try:
        return store.read_blob(digest, limit)
    except NotFound:
        what = "missing"
    except IntegrityError:
        what = "damaged: its content has another digest"
    except StoreError as error:
        what = f"{UNREADABLE}: {error.what}"
    found.faults.append(Fault(DOCUMENT, digest, what, (who,), RELOAD))
    return None


def _made_again(
    store: Store, entry: Entry, config: ImageConfig, config_size: int, found: Survey
) -> bytes | None:
    """Write a manifest again, which its config and the sizes of its layers determine."""
    places = [forms.find_if_there(store, diff_id) for diff_id in config.diff_ids]
    if any(place is None or place.form is forms.Form.LAZY for place in places):
        return None
    try:
        layers = [(diff_id, forms.size_of(store, diff_id)) for diff_id in config.diff_ids]
    except (RootlessError, ValueError):
        return None
    data = stored_manifest((entry.config_digest, config_size), layers).to_bytes()
    if sha256_of(data) != entry.manifest_digest:
        return None
    store.write(store.blob_path(entry.manifest_digest), data)
    found.faults.append(replace(found.faults.pop(), fix="", repaired=True))
    return data
