"""`rootless.sbom.alpine`: apk's database of what is installed."""

from rootless.sbom import alpine
from rootless.sbom.package import APK, Package

INSTALLED = """C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
L:MIT
o:musl
m:A <a@b>
F:lib

P:libcrypto3
V:3.3.0-r2
o:openssl

V:1
"""


def test_installed_packages() -> None:
    """A source of the same name goes without saying."""
    assert list(alpine.packages(INSTALLED, "/i")) == [
        Package(APK, "musl", "1.2.5-r0", "x86_64", "", "MIT", "A <a@b>", "/i"),
        Package(APK, "libcrypto3", "3.3.0-r2", source="openssl", path="/i"),
    ]
    assert list(alpine.packages("garbage", "/i")) == []
