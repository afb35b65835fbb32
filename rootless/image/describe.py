"""Images as documents: what `inspect` and `images --format json` print, after podman's."""

from collections.abc import Iterable, Mapping
from typing import Any

from rootless.image.names import Image
from rootless.oci.digest import hex_of
from rootless.oci.reference import parse_reference


def grouped(images: Iterable[Image]) -> list[tuple[Image, tuple[str, ...]]]:
    """Return each image once, with all its names."""
    found: dict[str, tuple[Image, list[str]]] = {}
    for image in images:
        _, references = found.setdefault(image.manifest_digest, (image, []))
        if image.reference:
            references.append(image.reference)
    return [(image, tuple(references)) for image, references in found.values()]


def digest_of(image: Image) -> str:
    """Return the digest that others know the image by: of the manifest as it came."""
    return image.source_digest or image.manifest_digest


def repo_digests(image: Image, references: Iterable[str]) -> list[str]:
    """Return `repository@digest` for each repository."""
    repositories = dict.fromkeys(parse_reference(text).repository for text in references)
    return [f"{repository}@{digest_of(image)}" for repository in repositories]


def summary(image: Image, references: tuple[str, ...]) -> dict[str, Any]:
    """Return a line of `images --format json`."""
    return {
        "Id": hex_of(image.config_digest),
        "Names": list(references),
        "Digest": digest_of(image),
        "RepoDigests": repo_digests(image, references),
        "CreatedAt": image.created,
        "Size": image.size,
        "Labels": dict(image.config.labels),
    }


def details(image: Image, references: tuple[str, ...]) -> dict[str, Any]:
    """Return the whole description of an image."""
    config = image.config
    return {
        "Id": hex_of(image.config_digest),
        "Digest": digest_of(image),
        "RepoTags": list(references),
        "RepoDigests": repo_digests(image, references),
        "Created": image.created,
        "Author": config.author,
        "Architecture": config.architecture,
        "Variant": config.variant,
        "Os": config.os,
        "Size": image.size,
        "Config": _config(image),
        "RootFS": {"Type": "layers", "Layers": list(config.diff_ids)},
        "LayersData": [
            {"DiffID": diff_id, "Size": layer.size}
            for diff_id, layer in zip(config.diff_ids, image.manifest.layers, strict=True)
        ],
        "History": [
            _without_empty(
                {
                    "created": step.created,
                    "created_by": step.created_by,
                    "author": step.author,
                    "comment": step.comment,
                    "empty_layer": step.empty_layer,
                }
            )
            for step in config.history
        ],
        "Manifest": {"Stored": image.manifest_digest, "Source": image.source_digest or ""},
    }


def _config(image: Image) -> dict[str, Any]:
    config = image.config
    return _without_empty(
        {
            "User": config.user,
            "ExposedPorts": {port: {} for port in config.exposed_ports},
            "Env": list(config.env),
            "Entrypoint": list(config.entrypoint),
            "Cmd": list(config.cmd),
            "Volumes": {volume: {} for volume in config.volumes},
            "WorkingDir": config.working_dir,
            "Labels": dict(config.labels),
            "StopSignal": config.stop_signal,
        }
    )


def _without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item}
