"""`source.json` of a lazy layer: which blob it is, and where its bytes come from."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest
from rootless.oci.document import Node, parse_document, to_bytes

NAME = "source.json"
_MAX_BYTES = 64 << 20  # our own: a number or two for each chunk that shares a member with others
_MOST_ORIGINS = 16


@dataclass(frozen=True, slots=True)
class Origin:
    """A repository that has the blob, and what the user said of its registry.

    Credentials are none of this: who fetches reads the auth files itself.

    Attributes:
        repository: Its full name, `registry/path`.
        tls_verify: What the command line said of TLS; None for what registries.conf says.
        authfile: The auth file that it named; "" for the usual ones.
        cert_dir: The folder of certificates that it named.
    """

    repository: str
    tls_verify: bool | None = None
    authfile: str = ""
    cert_dir: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a layer's bytes come from.

    Attributes:
        blob: The layer as registries have it.
        kind: What its table of contents is, for people.
        toc_digest: That of the table of contents.
        origins: Who has it, the latest first.
        inner: How many bytes of what is decoded come before a chunk, where that is not 0.
    """

    blob: Descriptor
    kind: str
    toc_digest: Digest
    origins: tuple[Origin, ...]
    inner: Mapping[int, int] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the document that `parse` reads."""
        return to_bytes(
            {
                "blob": self.blob.to_json(),
                "kind": self.kind,
                "tocDigest": self.toc_digest,
                "origins": [_origin_json(origin) for origin in self.origins],
                "inner": [[number, inner] for number, inner in self.inner.items()],
            }
        )


def read(folder: Path) -> Source:
    """Read a layer's source; raises OSError, and InvalidInput where it is damaged."""
    with open(folder / NAME, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    node = parse_document(data, str(folder / NAME), limit=_MAX_BYTES)
    blob = node.require("blob")
    return Source(
        blob=Descriptor(
            blob.text("mediaType"),
            blob.require("digest").as_digest(),
            blob.require("size").as_size(),
        ),
        kind=node.text("kind"),
        toc_digest=node.require("tocDigest").as_digest(),
        origins=tuple(_origin(item) for item in node.require("origins").items()),
        inner={
            number.as_size(): inner.as_size()
            for number, inner in (tuple(pair.items()) for pair in node.members("inner"))
        },
    )


def add_origin(folder: Path, origin: Origin) -> None:
    """Note that a repository has the layer too; it is asked first. Raises OSError."""
    source = read(folder)
    others = tuple(each for each in source.origins if each.repository != origin.repository)
    changed = replace(source, origins=(origin, *others)[:_MOST_ORIGINS])
    if changed != source:
        write(folder, changed)


def write(folder: Path, source: Source) -> None:
    """Write a layer's source, atomically; raises OSError."""
    temp = folder / f".tmp-{secrets.token_hex(8)}"
    try:
        with open(temp, "xb") as file:
            file.write(source.to_bytes())
            file.flush()
            os.fsync(file.fileno())
        temp.rename(folder / NAME)
    except OSError:
        temp.unlink(missing_ok=True)
        raise


def _origin_json(origin: Origin) -> dict[str, Any]:
    value: dict[str, Any] = {"repository": origin.repository}
    if origin.tls_verify is not None:
        value["tlsVerify"] = origin.tls_verify
    if origin.authfile:
        value["authfile"] = origin.authfile
    if origin.cert_dir:
        value["certDir"] = origin.cert_dir
    return value


def _origin(node: Node) -> Origin:
    tls = None if node.get("tlsVerify") is None else node.flag("tlsVerify")
    return Origin(node.require_text("repository"), tls, node.text("authfile"), node.text("certDir"))
