"""Python distributions: METADATA of *.dist-info, PKG-INFO of *.egg-info (core metadata)."""

import re
from collections.abc import Iterator

from rootless.sbom.package import PYPI, Package, cleaned

_FOLDER = re.compile(rb"[^/]+\.(dist|egg)-info\Z")
_WANTED = frozenset(("name", "version", "license", "license-expression", "author"))


def metadata_of(name: bytes) -> bytes | None:
    """Return what holds the metadata in a folder of this name; None where it is no such folder."""
    match = _FOLDER.match(name)
    if match is None:
        return None
    return b"METADATA" if match[1] == b"dist" else b"PKG-INFO"


def packages(text: str, path: str) -> Iterator[Package]:
    """Yield the distribution that a metadata file describes; none where it names none."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.strip():
            break  # the description follows
        key, colon, value = line.partition(":")
        if colon and not line[:1].isspace() and key.lower() in _WANTED:
            fields.setdefault(key.lower(), value.strip())
    if fields.get("name") and fields.get("version"):
        yield Package(
            *(PYPI, cleaned(fields["name"]), cleaned(fields["version"])),
            license=cleaned(fields.get("license-expression") or fields.get("license", "")),
            vendor=cleaned(fields.get("author", "")),
            path=path,
        )
