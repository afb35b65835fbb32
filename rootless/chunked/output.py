"""What a writer writes, counted and hashed as it goes out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rootless.oci.digest import Digest


class Sink(Protocol):
    """Where a blob is written: a file, a pipe, a request's body."""

    def write(self, data: bytes, /) -> int | None:
        """Write all of *data*."""


@dataclass(frozen=True, slots=True)
class Written:
    """A blob that was written, and what the manifest and the image config say of it.

    Attributes:
        digest: Of the blob.
        size: Of the blob.
        diff_id: Of the tar that it decompresses to.
        tar_size: Of that tar.
        media_type: Of the layer.
        annotations: Of the layer's descriptor.
    """

    digest: Digest
    size: int
    diff_id: Digest
    tar_size: int
    media_type: str
    annotations: Mapping[str, str]


class Hashed:
    """Counts and hashes what is written to it; passes it on to *out* where there is one.

    Attributes:
        size: Bytes so far.
    """

    def __init__(self, out: Sink | None = None) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(data)
        self.size += len(data)
        if self._out is not None:
            self._out.write(data)

    def digest(self) -> Digest:
        """Return the digest so far."""
        return Digest("sha256:" + self._hash.hexdigest())
