"""Images in packs: one file that is read where it lies, and that brings its image into a store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rootless.errors import IntegrityError
from rootless.image.ingest import Expected
from rootless.image.layers import (
    PACKED_ABSENT,
    PACKED_FILES,
    PackFile,
    PackFormatError,
    PackKind,
    PackSection,
)
from rootless.image.names import Image, Located
from rootless.image.plan import PlannedImage, PlannedLayer
from rootless.image.source import open_regular
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest, sha256_of
from rootless.oci.document import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES
from rootless.oci.image_config import parse_image_config
from rootless.oci.manifest import Manifest, parse_manifest

_MAX_NAME = 4096
MAX_FILE = 32 << 10
"""Larger files are left to the layers, so that one read brings the whole front."""


@contextmanager
def open_pack(path: str) -> Iterator[PackFile]:
    """Give a pack; raises NotFound, InvalidInput, IntegrityError where it is damaged."""
    fd = open_regular(path)
    try:
        with explained(path):
            yield PackFile(fd, path)
    finally:
        os.close(fd)


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what is wrong with a pack into the error that the user reads."""
    try:
        with explain(path):
            yield
    except PackFormatError as error:
        raise IntegrityError("damaged pack", str(error), "copy or make it again") from error


def read_image(fd: int, path: str) -> Image:
    """Return the image of an open pack, by one read; raises IntegrityError."""
    with explained(path):
        pack = PackFile(fd, path)
        config_data = read_document(pack, PackKind.CONFIG)
        manifest_data = read_document(pack, PackKind.MANIFEST)
        source = pack.find(PackKind.SOURCE_MANIFEST)
        files = known_files(pack)
    config, manifest = parse_image_config(config_data), parse_manifest(manifest_data)
    _check(path, manifest, config_data)
    place = Path(path).absolute()
    return Image(
        reference=str(place),
        manifest_digest=sha256_of(manifest_data),
        config_digest=sha256_of(config_data),
        config=config,
        size=sum(layer.size for layer in manifest.layers),
        created=config.created,
        manifest=manifest,
        source_digest=None if source is None else digest_of(source),
        place=Located(place, (place,), files=files),
    )


def known_files(pack: PackFile) -> dict[bytes, bytes | None]:
    """Return the small files that a pack has beside its layers, by path; raises PackFormatError."""
    found: dict[bytes, bytes | None] = {}
    for section in pack.sections:
        number = section.number & ~PACKED_ABSENT
        if section.kind == PackKind.FILE and number < len(PACKED_FILES):
            is_absent = section.number != number
            found[PACKED_FILES[number]] = None if is_absent else _bounded(pack, section, MAX_FILE)
    return found


def planned_image(pack: PackFile) -> PlannedImage:
    """Return what a load makes of a pack: the image it was made of, with its name and its ID."""
    config_data = read_document(pack, PackKind.CONFIG)
    manifest = parse_manifest(read_document(pack, PackKind.MANIFEST))
    _check("the pack", manifest, config_data)
    config = parse_image_config(config_data)
    sections = pack.layers()
    diff_ids = config.diff_ids
    if tuple(map(digest_of, sections)) != diff_ids:
        raise pack.fault("its layers are not those of its config")
    name = pack.find(PackKind.NAME)
    source = pack.find(PackKind.SOURCE_MANIFEST)
    return PlannedImage(
        references=() if name is None else (_bounded(pack, name, _MAX_NAME).decode(),),
        config_data=config_data,
        config=config,
        layers=tuple(
            PlannedLayer(str(section.number), Expected(diff_id=diff_id), diff_id)
            for section, diff_id in zip(sections, diff_ids, strict=True)
        ),
        source_manifest=None if source is None else _bounded(pack, source, MAX_MANIFEST_BYTES),
    )


def read_document(pack: PackFile, kind: PackKind) -> bytes:
    """Return a document; raises PackFormatError."""
    limit = MAX_CONFIG_BYTES if kind is PackKind.CONFIG else MAX_MANIFEST_BYTES
    return _bounded(pack, pack.require(kind), limit)


def digest_of(section: PackSection) -> Digest:
    """Return a section's digest."""
    return Digest(f"sha256:{section.digest.hex()}")


def _bounded(pack: PackFile, section: PackSection, limit: int) -> bytes:
    if section.size > limit:
        raise pack.fault(f"a document of {section.size} bytes, at most {limit}")
    return pack.read(section)


def _check(path: str, manifest: Manifest, config_data: bytes) -> None:
    if manifest.config.digest != sha256_of(config_data):
        raise IntegrityError("manifest and config do not fit together", path)
