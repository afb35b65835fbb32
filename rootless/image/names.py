"""Images by name: the store's index.json, and what a user may call an image.

Each descriptor of index.json carries the image's full reference, which any OCI tool reads, and
annotations of ours, so that a look-up opens one file: the config's digest (the image ID), the
digest of the manifest as it came from outside, and that of the index that it came out of.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

from rootless.errors import Conflict, InvalidInput, NotFound, RootlessError
from rootless.image import lock
from rootless.image.store import Store
from rootless.oci.descriptor import MANIFEST, REF_NAME, Descriptor
from rootless.oci.digest import Digest, hex_of, parse_digest
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES
from rootless.oci.image_config import ImageConfig, parse_image_config
from rootless.oci.image_index import ImageIndex
from rootless.oci.manifest import Manifest, parse_manifest
from rootless.oci.reference import DOCKER_HUB, LOCALHOST, Reference, parse_reference

log = logging.getLogger(__name__)

CONFIG_DIGEST = "org.rootless.config.digest"
SOURCE_DIGEST = "org.rootless.source.digest"
INDEX_DIGEST = "org.rootless.index.digest"

_ID = re.compile(r"(?:sha256:)?([0-9a-f]{3,64})")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of index.json: a name, or none, and the image that it stands for."""

    reference: str
    manifest_digest: Digest
    manifest_size: int
    config_digest: Digest
    source_digest: Digest | None = None
    index_digest: Digest | None = None

    def documents(self) -> tuple[Digest, ...]:
        """Return the digests of the documents that the image has."""
        own = (self.manifest_digest, self.config_digest)
        return own + tuple(d for d in (self.source_digest, self.index_digest) if d is not None)

    def to_descriptor(self) -> Descriptor:
        """Return the descriptor that `entry_of` reads."""
        annotations = {CONFIG_DIGEST: str(self.config_digest)}
        if self.reference:
            annotations[REF_NAME] = self.reference
        if self.source_digest:
            annotations[SOURCE_DIGEST] = self.source_digest
        if self.index_digest:
            annotations[INDEX_DIGEST] = self.index_digest
        return Descriptor(MANIFEST, self.manifest_digest, self.manifest_size, annotations)


@dataclass(frozen=True, slots=True)
class Located:
    """A merged tree and its layers' contents, which fit together.

    Attributes:
        tree: The merged tree's file, or the pack that holds it.
        layers: What its layer numbers count, lowest first.
        needs: Files of the store among them.
        files: Small files of the image, by path, that are known without the tree; None for one
            that it lacks. A name that ends in a slash is a directory's.
    """

    tree: Path
    layers: tuple[Path, ...]
    needs: tuple[Path, ...] = ()
    files: Mapping[bytes, bytes | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """An image of the store.

    Attributes:
        reference: Its full name; empty for an image without one.
        manifest_digest: Of the manifest in the store, whose layers are plain tars.
        config_digest: The image ID.
        config: The parsed config.
        size: Of the layers, in bytes, uncompressed.
        created: RFC 3339 time out of the config; may be empty.
        manifest: The manifest in the store.
        source_digest: Of the manifest as it came; None where it came without one.
        index_digest: Of the index that a registry gave for the name; None where it gave none.
        place: Where its files are; None for the store.
    """

    reference: str
    manifest_digest: Digest
    config_digest: Digest
    config: ImageConfig
    size: int
    created: str
    manifest: Manifest
    source_digest: Digest | None = None
    index_digest: Digest | None = None
    place: Located | None = None


def entries(store: Store) -> tuple[Entry, ...]:
    """Return all lines of index.json, in their order."""
    return tuple(_entry_of(store, d) for d in store.read_index().manifests)


def entries_of_all(store: Store) -> list[tuple[Store, tuple[Entry, ...]]]:
    """Return the lines of the store, then of each additional one whose list can be read."""
    found = [(store, entries(store))]
    for place in store.others:
        try:
            found.append((place, entries(place)))
        except RootlessError as error:  # somebody else's to mend
            log.warning("additional store left out: %s", error)
    return found


def resolve(store: Store, name: str) -> Image:
    """Return the image that a user means by *name*.

    In this order: a full reference, `localhost/NAME`, `docker.io/library/NAME`, the only repository
    that ends in `/NAME`, a digest of the config or the manifest, an image ID's beginning; each in
    the user's own store before the additional ones.

    Raises:
        NotFound: No image is meant; near names are suggested.
        InvalidInput: The name cannot be one, or means several images.
    """
    return read_image(store, find(store, name)[0])


def find(store: Store, name: str) -> tuple[Entry, ...]:
    """Return the entries that *name* means: one by name, each name of the image by ID."""
    known = [listed for _, listed in entries_of_all(store)]
    for meant in (partial(_by_id, full=True), _by_name, _by_id):
        for listed in known:
            if found := meant(listed, name):
                return found
    raise NotFound("no such image", name, _suggestion(tuple(chain(*known)), name))


def find_own(store: Store, name: str) -> tuple[Entry, ...]:
    """Return the entries of the store itself that *name* means: what can be taken out of it.

    Raises:
        Conflict: It is in an additional store only.
        NotFound, InvalidInput: As `find`.
    """
    try:
        return find(replace(store, others=()), name)
    except NotFound:
        if store.others:
            find(store, name)  # raises again where it is nowhere
            fix = "set ROOTLESS_HOME to that store, if it is yours"
            raise Conflict("the image is in an additional store", name, fix) from None
        raise


def read_image(store: Store, entry: Entry) -> Image:
    """Read an image's manifest and config."""
    manifest = parse_manifest(store.read_blob(entry.manifest_digest, MAX_MANIFEST_BYTES))
    config = parse_image_config(store.read_blob(entry.config_digest, MAX_CONFIG_BYTES))
    return Image(
        reference=entry.reference,
        manifest_digest=entry.manifest_digest,
        config_digest=entry.config_digest,
        config=config,
        size=sum(layer.size for layer in manifest.layers),
        created=config.created,
        manifest=manifest,
        source_digest=entry.source_digest,
        index_digest=entry.index_digest,
    )


def name_for_storing(text: str, default_domain: str = LOCALHOST) -> str:
    """Return the full reference that an image is kept under; raises InvalidInput."""
    reference = parse_reference(text)
    if reference.digest is not None:
        raise InvalidInput("a name for an image cannot hold a digest", text, "give a tag")
    return str(reference.canonical(default_domain))


def is_called(entry: Entry, name: str) -> bool:
    """Return whether a repository, with or without its last tag, is meant by *name*; "" is all."""
    if not name:
        return True
    wanted = parse_reference(name)
    have = _parsed(entry)
    if wanted.tag and wanted.tag != have.tag:
        return False
    if wanted.domain:
        return wanted.canonical().repository == have.repository
    return f"/{have.repository}".endswith(f"/{wanted.path}")


def add(store: Store, new: Iterable[Entry]) -> None:
    """Name images; an image that loses its name to another one stays, without a name."""
    with lock.exclusive(store.lock_path("index")):
        kept = list(entries(store))
        for entry in new:
            kept = _with(kept, entry)
        _write(store, kept)


def exchange(store: Store, old: Entry, new: Entry) -> None:
    """Put an entry in the place of another, if that is still there."""
    with lock.exclusive(store.lock_path("index")):
        kept = list(entries(store))
        if old in kept:
            _write(store, [new if entry == old else entry for entry in kept])


def drop(store: Store, gone: Iterable[Entry]) -> None:
    """Take entries out."""
    gone = frozenset(gone)
    with lock.exclusive(store.lock_path("index")):
        _write(store, [entry for entry in entries(store) if entry not in gone])


def _write(store: Store, kept: list[Entry]) -> None:
    store.write_index(ImageIndex(tuple(entry.to_descriptor() for entry in kept)))


def _with(kept: list[Entry], entry: Entry) -> list[Entry]:
    """Return the entries with *entry* added; one image has no unnamed line beside named ones."""
    rest = []
    for old in kept:
        if old.reference and old.reference == entry.reference:
            old = replace(old, reference="")  # noqa: PLW2901 - the line goes on without its name
        rest.append(old)
    rest.append(entry)
    named = {e.manifest_digest for e in rest if e.reference}
    result: dict[tuple[str, Digest], Entry] = {}
    for e in rest:
        if e.reference or e.manifest_digest not in named:
            result[e.reference, e.manifest_digest] = e
    return list(result.values())


def _entry_of(store: Store, descriptor: Descriptor) -> Entry:
    annotations = descriptor.annotations
    config_digest = annotations.get(CONFIG_DIGEST)
    if config_digest is None:  # another OCI tool wrote into our layout
        data = store.read_blob(descriptor.digest, MAX_MANIFEST_BYTES)
        config_digest = parse_manifest(data).config.digest
    source, index = annotations.get(SOURCE_DIGEST), annotations.get(INDEX_DIGEST)
    return Entry(
        reference=annotations.get(REF_NAME, ""),
        manifest_digest=descriptor.digest,
        manifest_size=descriptor.size,
        config_digest=parse_digest(config_digest),
        source_digest=parse_digest(source) if source else None,
        index_digest=parse_digest(index) if index else None,
    )


def _by_id(known: tuple[Entry, ...], name: str, *, full: bool = False) -> tuple[Entry, ...]:
    match = _ID.fullmatch(name)
    if match is None or (full and len(match[1]) != 64):
        return ()
    prefix = match[1]
    found = tuple(e for e in known if any(hex_of(d).startswith(prefix) for d in e.documents()))
    ids = sorted({hex_of(entry.config_digest)[:12] for entry in found})
    if len(ids) > 1:
        raise InvalidInput("image ID is ambiguous", name, "one of " + ", ".join(ids[:5]))
    return found


def _by_name(known: tuple[Entry, ...], name: str) -> tuple[Entry, ...]:
    wanted = parse_reference(name)
    for domain in (LOCALHOST, DOCKER_HUB):
        full = wanted.canonical(domain)
        found = tuple(e for e in known if _names(e, full))
        if found:
            return found[:1]
        if wanted.domain:
            return ()
    suffix = "/" + wanted.path
    full = wanted.canonical()
    found = tuple(
        e for e in known if _parsed(e).path and _ends(e, suffix) and _same_version(e, full)
    )
    if len({entry.reference for entry in found}) > 1:
        names = ", ".join(sorted(entry.reference for entry in found)[:5])
        raise InvalidInput("image name is ambiguous", name, f"one of {names}")
    return found


def _names(entry: Entry, full: Reference) -> bool:
    return _parsed(entry).repository == full.repository and _same_version(entry, full)


def _ends(entry: Entry, suffix: str) -> bool:
    return _parsed(entry).repository.endswith(suffix)


def _same_version(entry: Entry, full: Reference) -> bool:
    """Return whether the tag, or the digest where one is given, is this entry's."""
    if full.digest is not None and full.digest not in entry.documents():
        return False
    own = _parsed(entry).tag  # none where it was fetched by its digest
    return not full.tag or full.tag == own or (full.digest is not None and not own)


def _parsed(entry: Entry) -> Reference:
    if not entry.reference:
        return Reference("", "")
    try:
        return parse_reference(entry.reference).canonical()
    except InvalidInput:  # another OCI tool's annotation; such an image has its ID only
        return Reference("", "")


def _suggestion(known: tuple[Entry, ...], name: str) -> str:
    import difflib  # noqa: PLC0415 - only a mistake pays for it

    short = {}
    for entry in known:
        parsed = _parsed(entry)
        for text in (entry.reference, parsed.path, parsed.path.rpartition("/")[2]):
            short[text] = entry.reference
            short[f"{text}:{parsed.tag}"] = entry.reference
    short.pop("", None)
    near = difflib.get_close_matches(name, short, n=3, cutoff=0.6)
    names = list(dict.fromkeys(short[text] for text in near if short[text]))
    if names:
        return "did you mean " + " or ".join(names) + "?"
    return "`rootless images` lists what is there, `rootless pull` brings images in"
