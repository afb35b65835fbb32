"""`rootless.sbom.package`: packages, and their package URLs."""

import pytest

from rootless.sbom.package import APK, DEB, PYPI, RPM, Distribution, Package, cleaned, purl, unique


@pytest.mark.parametrize(
    ("package", "distribution", "url"),
    [
        (
            Package(DEB, "libc6", "2.36-9+deb12u4", "amd64"),
            Distribution("debian", "12"),
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12",
        ),
        (Package(DEB, "a", "1:2~3"), Distribution(), "pkg:deb/debian/a@1:2~3"),
        (
            Package(RPM, "Bash", "1:5.2-1.fc40", "x86_64"),
            Distribution("fedora", "40"),
            "pkg:rpm/fedora/Bash@5.2-1.fc40?arch=x86_64&distro=fedora-40&epoch=1",
        ),
        (
            Package(APK, "musl", "1.2-r0"),
            Distribution("wolfi"),
            "pkg:apk/wolfi/musl@1.2-r0?distro=wolfi",
        ),
        (
            Package(PYPI, "Flask_Login", "1.0"),
            Distribution("debian", "12"),
            "pkg:pypi/flask-login@1.0",
        ),
    ],
)
def test_package_urls(package: Package, distribution: Distribution, url: str) -> None:
    """Each type has its rules."""
    assert purl(package, distribution) == url


def test_each_once_in_order() -> None:
    """What two files say of the same package is said once."""
    one, two = Package(DEB, "a", "1"), Package(APK, "b", "1")
    assert unique([one, two, one]) == [two, one]


def test_values_are_one_line() -> None:
    """Escapes and lengths of hostile values do not get through."""
    assert cleaned(" a\n b\x1b[2J ") == "a b?[2J"
    assert len(cleaned("x" * 10_000)) == 1000
