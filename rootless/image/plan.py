"""Which images a source holds: OCI image-spec, image-layout.md, and Docker's `manifest.json`.

Everything that small documents can show to be wrong is found here, before a layer is touched.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image.ingest import Expected
from rootless.image.names import name_for_storing
from rootless.image.source import STANDARD_INPUT, ImageSource
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor, Platform
from rootless.oci.digest import Digest, hex_of, parse_digest, sha256_of
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, Node, parse_document
from rootless.oci.image_config import ImageConfig, parse_image_config
from rootless.oci.image_index import choose, parse_image_index
from rootless.oci.manifest import MAX_LAYERS, Manifest, parse_manifest
from rootless.oci.reference import DOCKER_HUB, LOCALHOST, is_tag

_MAX_DEPTH = 4  # an index of an index is rare, more is an attack
_NO_NAME = re.compile(r"[^a-z0-9]+")
_HEX_NAME = re.compile(r"(?:.*/)?([0-9a-f]{64})(?:\.json)?")


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """A layer to ingest: its name in the source, and what it must be."""

    name: str
    expected: Expected
    diff_id: Digest


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """An image to load.

    Attributes:
        references: Full names; may be none.
        config_data: The config as it came; its digest is the image ID.
        config: The same, parsed.
        layers: Lowest first.
        source_manifest: The manifest as it came; None where the source has none of its own.
    """

    references: tuple[str, ...]
    config_data: bytes
    config: ImageConfig
    layers: tuple[PlannedLayer, ...]
    source_manifest: bytes | None


def plan(source: ImageSource, wanted: str, platform: Platform) -> list[PlannedImage]:
    """Return the images of a source, or the one that is called *wanted*.

    Raises:
        InvalidInput: It is no image, or has none for the platform.
        IntegrityError: A document is missing, damaged or hostile.
        NotFound: None is called *wanted*.
    """
    index = source.document("index.json", MAX_MANIFEST_BYTES)
    if index is not None:
        return list(_oci_images(source, index, wanted, platform))
    docker = source.document("manifest.json", MAX_MANIFEST_BYTES)
    if docker is not None:
        return list(_docker_images(source, docker, wanted))
    fix = (
        "neither index.json nor manifest.json is there; `rootless import` takes a root file system"
    )
    raise InvalidInput("neither an OCI image nor a docker archive", source.what, fix)


def _oci_images(
    source: ImageSource, index: bytes, wanted: str, platform: Platform
) -> Iterator[PlannedImage]:
    groups: dict[str, list[Descriptor]] = {}
    for descriptor in parse_image_index(index).manifests:
        groups.setdefault(label_of(descriptor), []).append(descriptor)
    if wanted:
        groups = {label: group for label, group in groups.items() if is_meant(label, wanted)}
    if not groups:
        raise NotFound("no such image in the layout", f"{source.what}:{wanted}".rstrip(":"))
    chosen: dict[tuple[Digest, int], list[str]] = {}
    for label, group in groups.items():
        descriptor = _choose(source, group, platform, 0)
        chosen.setdefault((descriptor.digest, descriptor.size), []).append(label)
    for (digest, size), labels in chosen.items():
        names = tuple(filter(None, (_oci_name(label, source.what) for label in labels)))
        yield _oci_image(source, Descriptor(media.MANIFEST, digest, size), names)


def label_of(descriptor: Descriptor) -> str:
    """Return what an image is called in a layout: containerd's full name before a lone tag."""
    annotations = descriptor.annotations
    return annotations.get(media.CONTAINERD_NAME) or annotations.get(media.REF_NAME, "")


def is_meant(label: str, wanted: str) -> bool:
    """Return whether a user may call an image of a layout or an archive so."""
    return label == wanted or label.endswith((f":{wanted}", f"/{wanted}"))


def _oci_name(label: str, what: str) -> str:
    """Return the full name for a layout's: `debian-demo`, `quay.io/a/b:1`, or only a tag.

    A lone tag is the file's, which has a name; out of a pipe it names nothing.
    """
    if not label:
        return ""
    if label != "latest":
        try:
            return name_for_storing(label)
        except InvalidInput:
            if not is_tag(label):
                raise
    if what == STANDARD_INPUT:
        return ""
    stem = posixpath.basename(what.rstrip("/")).partition(".")[0].lower()
    stem = _NO_NAME.sub("-", stem).strip("-") or "image"
    return name_for_storing(f"{LOCALHOST}/{stem}:{label}")


def _choose(
    source: ImageSource, group: list[Descriptor], platform: Platform, depth: int
) -> Descriptor:
    """Return the manifest for a platform, down through indexes."""
    if depth > _MAX_DEPTH:
        raise IntegrityError("image indexes are nested too deeply", source.what)
    descriptor = group[0] if len(group) == 1 and depth == 0 else choose_for(group, platform)
    if descriptor.media_type in media.MANIFESTS:
        return descriptor
    data = _blob(source, descriptor, MAX_MANIFEST_BYTES)
    if descriptor.media_type not in media.IMAGE_INDEXES:
        node = parse_document(data, "manifest")
        if node.get("manifests") is None:
            if descriptor.media_type:
                raise InvalidInput("not a container image", descriptor.media_type)
            return descriptor
    return _choose(source, list(parse_image_index(data).manifests), platform, depth + 1)


def choose_for(group: Sequence[Descriptor], platform: Platform) -> Descriptor:
    """Return the best manifest for a platform; raises InvalidInput where no one serves it."""
    descriptor = choose(group, platform)
    if descriptor is None:
        known = {str(d.platform) for d in group if d.platform is not None}
        offered = ", ".join(sorted(name for name in known if "unknown" not in name))
        fix = f"it has {offered}" if offered else ""
        raise InvalidInput("image has no manifest for the platform", str(platform), fix)
    return descriptor


def _oci_image(source: ImageSource, descriptor: Descriptor, names: tuple[str, ...]) -> PlannedImage:
    data = _blob(source, descriptor, MAX_MANIFEST_BYTES)
    manifest = parse_manifest(data)
    config_data = _blob(source, manifest.config, MAX_CONFIG_BYTES)
    config = parse_image_config(config_data)
    return PlannedImage(
        references=names,
        config_data=config_data,
        config=config,
        layers=layers_of(manifest, config, source.what),
        source_manifest=data,
    )


def layers_of(manifest: Manifest, config: ImageConfig, what: str) -> tuple[PlannedLayer, ...]:
    """Return the layers, lowest first; raises where manifest and config do not fit together."""
    _check_count(len(manifest.layers), len(config.diff_ids), what)
    return tuple(_oci_layers(manifest, config))


def _oci_layers(manifest: Manifest, config: ImageConfig) -> Iterator[PlannedLayer]:
    for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True):
        if "encrypted" in layer.media_type:
            raise InvalidInput("layer is encrypted", layer.digest, "decrypt the image first")
        expected = Expected(layer.digest, layer.size, diff_id)
        yield PlannedLayer(_blob_name(layer.digest), expected, diff_id)


def _blob_name(digest: Digest) -> str:
    return f"blobs/sha256/{hex_of(digest)}"


def _blob(source: ImageSource, descriptor: Descriptor, limit: int) -> bytes:
    """Return a document that a descriptor names, verified."""
    data = source.document(_blob_name(descriptor.digest), limit)
    if data is None:
        raise IntegrityError("blob is missing", f"{descriptor.digest} of {source.what}")
    if sha256_of(data) != descriptor.digest:
        fix = f"the content is {sha256_of(data)}"
        raise IntegrityError("wrong digest", f"{descriptor.digest} of {source.what}", fix)
    if len(data) != descriptor.size:
        fix = f"the content has {len(data)} bytes, the descriptor says {descriptor.size}"
        raise IntegrityError("wrong size", f"{descriptor.digest} of {source.what}", fix)
    return data


def _docker_images(source: ImageSource, data: bytes, wanted: str) -> Iterator[PlannedImage]:
    found = False
    for item in parse_document(data, "manifest.json").items():
        tags = item.texts("RepoTags")
        if wanted and not any(is_meant(tag, wanted) for tag in tags):
            continue
        found = True
        names = [wanted] if wanted and wanted in tags else tags
        yield _docker_image(source, item, [name_for_storing(name, DOCKER_HUB) for name in names])
    if not found:
        raise NotFound("no such image in the archive", f"{source.what}:{wanted}".rstrip(":"))


def _docker_image(source: ImageSource, item: Node, names: Iterable[str]) -> PlannedImage:
    config_name = item.require("Config").as_text()
    config_data = source.document(_normal(config_name), MAX_CONFIG_BYTES)
    if config_data is None:
        raise IntegrityError("image config is missing", f"{config_name} of {source.what}")
    named = _HEX_NAME.fullmatch(config_name)
    if named and sha256_of(config_data) != parse_digest(f"sha256:{named[1]}"):
        fix = f"the content is {sha256_of(config_data)}"
        raise IntegrityError("wrong digest", f"{config_name} of {source.what}", fix)
    config = parse_image_config(config_data)
    layers = item.texts("Layers")
    _check_count(len(layers), len(config.diff_ids), source.what)
    if len(layers) > MAX_LAYERS:
        raise item.require("Layers").fault(f"names {len(layers)} layers, at most {MAX_LAYERS}")
    return PlannedImage(
        references=tuple(names),
        config_data=config_data,
        config=config,
        layers=tuple(
            PlannedLayer(_normal(name), Expected(diff_id=diff_id), diff_id)
            for name, diff_id in zip(layers, config.diff_ids, strict=True)
        ),
        source_manifest=None,
    )


def _normal(name: str) -> str:
    return posixpath.normpath(name)


def _check_count(layers: int, diff_ids: int, what: str) -> None:
    if layers != diff_ids:
        fix = f"the manifest names {layers} layers, the config {diff_ids} diff IDs"
        raise IntegrityError("manifest and config do not fit together", what, fix)
