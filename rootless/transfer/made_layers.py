r"""The blobs in which layers came and went: the store remembers their digests, not their bytes.

    compressed.json    {"sha256:DIFF-ID": {"isal-3": {"digest": "sha256:…", "size": 123,
                          "repositories": ["registry.example/debian"]}}}

With the digest known beforehand a registry can be asked whether it has the layer, and nothing is
compressed. So only what was verified here is remembered: what was made here, and what a pull has
decompressed and hashed. What a manifest says of a layer that was there already may be a lie, and
would put somebody's blob into an image of ours. A store that cannot be written remembers nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from rootless.errors import InvalidInput, StoreError
from rootless.image import lock
from rootless.image.store import Store
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, hex_of
from rootless.oci.document import Node, parse_document, to_bytes

_NAME = "compressed.json"
_LIMIT = 16 << 20
_MOST_REPOSITORIES = 8
_MOST_BLOBS = 8  # of one layer


@dataclass(frozen=True, slots=True)
class Made:
    """A layer as it went out, or came.

    Attributes:
        digest: Of the compressed bytes.
        size: How many those are.
        media_type: What a manifest calls them.
        annotations: What a manifest says of them.
        diff_id: Of the tar that is in them, where it is another one than the layer's.
        repositories: Where they were sent, or came from: `HOST/NAME`.
    """

    digest: Digest
    size: int
    media_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    diff_id: Digest | None = None
    repositories: tuple[str, ...] = ()


class MadeLayers:
    """The memory of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def recall(self, diff_id: Digest) -> dict[str, Made]:
        """Return what a layer became before, by the key of the compression."""
        return self._all().get(diff_id, {})

    def all(self) -> Iterator[tuple[Digest, Made]]:
        """Yield everything, each with its diff ID."""
        for diff_id, known in self._all().items():
            for made in known.values():
                yield Digest(diff_id), made

    def remember(self, diff_id: Digest, key: str, made: Made) -> None:
        """Note what a layer became, and where it is; layers that are gone are forgotten."""
        store = self._store
        with suppress(StoreError), lock.exclusive(store.lock_path("compressed")):
            known = self._all()
            before = known.setdefault(diff_id, {}).get(key)
            if before is not None and before.digest == made.digest:
                together = dict.fromkeys((*made.repositories, *before.repositories))
                made = replace(made, repositories=tuple(together)[:_MOST_REPOSITORIES])
            known[diff_id].pop(key, None)
            known[diff_id][key] = made
            known[diff_id] = dict(list(known[diff_id].items())[-_MOST_BLOBS:])
            kept = {
                each: {key: _to_json(made) for key, made in of_layer.items()}
                for each, of_layer in known.items()
                if store.find(store.index_path(Digest(each))).exists()
            }
            store.write(store.root / _NAME, to_bytes(kept))

    def remember_came(self, diff_id: Digest, blob: Descriptor, repository: str) -> None:
        """Note a blob that came from a repository, and of which the layer was made."""
        made = Made(
            digest=blob.digest,
            size=blob.size,
            media_type=blob.media_type,
            annotations=blob.annotations,
            repositories=(repository,),
        )
        self.remember(diff_id, f"came-{hex_of(blob.digest)[:12]}", made)

    def _all(self) -> dict[str, dict[str, Made]]:
        """Return what is remembered; a damaged file is none."""
        try:
            with open(self._store.root / _NAME, "rb") as file:
                data = file.read(_LIMIT + 1)
            node = parse_document(data, _NAME, limit=_LIMIT)
            return {
                diff_id: {key: _made(of_layer.require(key)) for key in of_layer.keys_of()}
                for diff_id in node.keys_of()
                for of_layer in (node.require(diff_id),)
            }
        except (OSError, InvalidInput):
            return {}


def _made(node: Node) -> Made:
    diff_id = node.get("diffID")
    return Made(
        digest=node.require("digest").as_digest(),
        size=node.require("size").as_size(),
        media_type=node.text("mediaType"),
        annotations=node.mapping("annotations"),
        diff_id=diff_id.as_digest() if diff_id is not None else None,
        repositories=node.texts("repositories"),
    )


def _to_json(made: Made) -> dict[str, Any]:
    return {
        "digest": made.digest,
        "size": made.size,
        "mediaType": made.media_type,
        "annotations": dict(made.annotations),
        "diffID": made.diff_id,
        "repositories": list(made.repositories),
    }
