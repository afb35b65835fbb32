"""A package, whichever manager installed it, and the name that others know it by (purl)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

DEB, RPM, APK, PYPI = "deb", "rpm", "apk", "pypi"
_LONGEST = 1000


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One package.

    Attributes:
        kind: DEB, RPM, APK or PYPI, as purl has them.
        name: What it is called.
        version: In full, with epoch and release.
        architecture: As the manager has it; may be empty.
        source: The source package, where it has another name.
        license: What the manager knows of it; may be empty.
        vendor: Who made it; may be empty.
        path: The file of the image that says so.
    """

    kind: str
    name: str
    version: str
    architecture: str = ""
    source: str = ""
    license: str = ""
    vendor: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """What /etc/os-release says of the image."""

    id: str = ""
    version: str = ""
    name: str = ""


def purl(package: Package, distribution: Distribution) -> str:
    """Return the package URL: github.com/package-url/purl-spec, of its type."""
    name, version, qualifiers = package.name, package.version, {}
    if package.kind == PYPI:
        return f"pkg:pypi/{_quoted(name.lower().replace('_', '-'))}@{_quoted(version)}"
    if package.kind == RPM:
        epoch, colon, rest = version.partition(":")
        if colon:
            qualifiers["epoch"], version = epoch, rest
    if package.architecture:
        qualifiers["arch"] = package.architecture
    if distribution.id:
        qualifiers["distro"] = f"{distribution.id}-{distribution.version}".rstrip("-")
    names = {DEB: "debian", RPM: "redhat", APK: "alpine"}
    namespace = distribution.id or names[package.kind]
    name = name if package.kind == RPM else name.lower()
    text = f"pkg:{package.kind}/{_quoted(namespace)}/{_quoted(name)}@{_quoted(version)}"
    return text + (f"?{_query(qualifiers)}" if qualifiers else "")


def _query(qualifiers: Mapping[str, str]) -> str:
    return "&".join(f"{key}={_quoted(qualifiers[key])}" for key in sorted(qualifiers))


def _quoted(text: str) -> str:
    return quote(text, safe=":")


def unique(packages: Iterable[Package]) -> list[Package]:
    """Return each once, by kind and name."""
    return sorted(set(packages))


def cleaned(text: str) -> str:
    """Return a value out of an image as one line of bounded length, without control characters."""
    short = " ".join(text[: 2 * _LONGEST].split())[:_LONGEST]
    return "".join(c if c.isprintable() else "?" for c in short)
