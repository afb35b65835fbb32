"""The image that a build comes to: its config, its manifest, its names; all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rootless.build.request import BuildRequest
from rootless.image import names
from rootless.image.store import Store
from rootless.oci.digest import Digest, sha256_of
from rootless.oci.document import to_bytes


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """What came of a build.

    Attributes:
        references: Its names; may be none.
        config_digest: The image ID.
        is_new: False where the same image had these names already.
    """

    references: tuple[str, ...]
    config_digest: Digest
    is_new: bool


def config_of(
    document: Mapping[str, Any], diff_ids: Sequence[Digest], request: BuildRequest
) -> bytes:
    """Return the image config.

    Args:
        document: What the last stage came to.
        diff_ids: Its layers, lowest first.
        request: Which has labels and variables of its own.
    """
    process = dict(document.get("config") or {})
    labels = {**(process.get("Labels") or {}), **request.labels}
    process["Labels"] = {k: v for k, v in labels.items() if k not in request.unset_labels}
    env = {each.partition("=")[0]: each for each in (*(process.get("Env") or ()), *request.env)}
    process["Env"] = [each for name, each in env.items() if name not in request.unset_env]
    config = {
        **document,
        "config": {key: value for key, value in process.items() if value not in (None, [], {}, "")},
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
    }
    return to_bytes(config)


def keep_image(store: Store, data: bytes, request: BuildRequest) -> BuiltImage:
    """Keep the image and name it: all of it, or nothing; raises StoreError.

    Args:
        store: Where the layers are.
        data: Its config.
        request: Which has the names and annotations.
    """
    references = request.tags
    config_digest = sha256_of(data)
    if not request.annotations and _is_there(store, references, config_digest):
        return BuiltImage(references, config_digest, is_new=False)
    from rootless.build.kept_image import keep  # noqa: PLC0415 - not where all is there

    keep(store, data, request)
    return BuiltImage(references, config_digest, is_new=True)


def _is_there(store: Store, references: tuple[str, ...], config_digest: Digest) -> bool:
    known = names.entries(store)
    named = {each.reference for each in known if each.config_digest == config_digest}
    return bool(named) and set(references) <= named
