"""Digests of content: OCI image-spec, descriptor.md "Digests", and config.md "Layer ChainID"."""

import re
from collections.abc import Sequence
from typing import NewType

from rootless.errors import InvalidInput

# Python's own in C, as its `random` has it: hashlib prefers OpenSSL's, and to load that takes 12 ms
# and 3 MiB, for documents of a few kilobytes. Layers are hashed by hashlib's.
try:
    from _sha256 import sha256  # type: ignore[import-not-found]
except ImportError:  # of Python 3.12 on
    from hashlib import sha256

Digest = NewType("Digest", str)

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_GRAMMAR = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")


def parse_digest(text: str, where: str = "") -> Digest:
    """Return *text* as a digest; raises InvalidInput for everything but sha256 and lower-case hex.

    File names are made of digests, so nothing that fails here ever reaches a path. *where* is the
    place that an error names: "manifest config.digest".
    """
    if _SHA256.fullmatch(text):
        return Digest(text)
    shown = text if len(text) <= 100 else text[:100] + "…"
    if where:
        shown = f"{shown} at {where}"
    if _GRAMMAR.fullmatch(text) and not text.startswith("sha256:"):
        raise InvalidInput("digest algorithm not supported", shown, "only sha256 is")
    raise InvalidInput("not a digest", shown, "expected sha256: and 64 hexadecimal digits")


def hex_of(digest: Digest) -> str:
    """Return the hexadecimal digits, which name files of the store."""
    return digest.partition(":")[2]


def sha256_of(data: bytes) -> Digest:
    """Return the digest of *data*."""
    return Digest("sha256:" + sha256(data).hexdigest())


def chain_id(diff_ids: Sequence[Digest]) -> Digest:
    """Return the chain ID of layers, lowest first; of no layer, the digest of nothing."""
    if not diff_ids:
        return sha256_of(b"")
    chain = diff_ids[0]
    for diff_id in diff_ids[1:]:
        chain = sha256_of(f"{chain} {diff_id}".encode())
    return chain
