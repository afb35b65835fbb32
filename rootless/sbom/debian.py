"""Packages of dpkg: its status file, deb822(5) paragraphs; distroless images have one file each."""

import re
from collections.abc import Iterator

from rootless.sbom.package import DEB, Package, cleaned

STATUS = b"var/lib/dpkg/status"
STATUS_FOLDER = b"var/lib/dpkg/status.d"
_WANTED = frozenset(("package", "version", "architecture", "source", "status", "maintainer"))
_BLANK = re.compile(r"\n[ \t]*\n")


def packages(text: str, path: str) -> Iterator[Package]:
    """Yield the packages of a status file that are installed; a paragraph without status is one."""
    for paragraph in _BLANK.split(text):
        fields = _fields(paragraph)
        name, version = fields.get("package", ""), fields.get("version", "")
        if (
            not name
            or not version
            or fields.get("status", "installed").split()[-1:] != ["installed"]
        ):
            continue
        yield Package(
            *(DEB, cleaned(name), cleaned(version)),
            architecture=cleaned(fields.get("architecture", "")),
            source=cleaned(fields.get("source", "").partition(" ")[0]),
            vendor=cleaned(fields.get("maintainer", "")),
            path=path,
        )


def _fields(paragraph: str) -> dict[str, str]:
    found = {}
    for line in paragraph.split("\n"):
        key, colon, value = line.partition(":")
        if colon and not line[:1].isspace() and key.lower() in _WANTED:
            found[key.lower()] = value.strip()
    return found
