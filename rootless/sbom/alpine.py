"""Packages of apk: its installed database, one letter a field (Alpine's apk_spec, "Installed")."""

from collections.abc import Iterator

from rootless.sbom.package import APK, Package, cleaned

INSTALLED = (b"lib/apk/db/installed", b"usr/lib/apk/db/installed")
_WANTED = frozenset("PVAoLm")


def packages(text: str, path: str) -> Iterator[Package]:
    """Yield the packages of a database."""
    for paragraph in text.split("\n\n"):
        lines = (line.partition(":") for line in paragraph.split("\n"))
        fields = {key: value.strip() for key, colon, value in lines if colon and key in _WANTED}
        if not fields.get("P") or not fields.get("V"):
            continue
        origin = fields.get("o", "")
        yield Package(
            *(APK, cleaned(fields["P"]), cleaned(fields["V"])),
            architecture=cleaned(fields.get("A", "")),
            source=cleaned(origin) if origin != fields["P"] else "",
            license=cleaned(fields.get("L", "")),
            vendor=cleaned(fields.get("m", "")),
            path=path,
        )
