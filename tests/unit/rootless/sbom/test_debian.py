"""`rootless.sbom.debian`: dpkg's status file."""

from rootless.sbom import debian
from rootless.sbom.package import DEB, Package

STATUS = """Package: libc6
Status: install ok installed
Source: glibc (2.36-9)
Version: 2.36-9
Architecture: amd64
Maintainer: GNU Libc Maintainers <a@b>
Description: library
 Version: not this one

Package: gone
Status: deinstall ok config-files
Version: 1

Package: distroless
Version: 3
\t
Version: 4
"""


def test_installed_packages() -> None:
    """What was removed, or has no name, is none; a file of a distroless image has no status."""
    assert list(debian.packages(STATUS, "/s")) == [
        Package(DEB, "libc6", "2.36-9", "amd64", "glibc", "", "GNU Libc Maintainers <a@b>", "/s"),
        Package(DEB, "distroless", "3", path="/s"),
    ]
    assert list(debian.packages("\0\n\n:::\n\n", "/s")) == []
