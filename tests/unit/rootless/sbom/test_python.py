"""`rootless.sbom.python`: metadata of Python distributions."""

import pytest

from rootless.sbom import python
from rootless.sbom.package import PYPI, Package


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        (b"a-1.dist-info", b"METADATA"),
        (b"a.egg-info", b"PKG-INFO"),
        (b".dist-info", None),
        (b"a.dist-info.bak", None),
    ],
)
def test_names(name: bytes, inside: bytes | None) -> None:
    """Folders of either kind are known by their names."""
    assert python.metadata_of(name) == inside


def test_metadata() -> None:
    """The head counts and not the description; an expression wins over a free license."""
    text = "Name: A\nVersion: 1\nLicense: x\nLicense-Expression: MIT\nAuthor: B\n\nVersion: 2\n"
    assert list(python.packages(text, "/m")) == [
        Package(PYPI, "A", "1", license="MIT", vendor="B", path="/m")
    ]
    assert list(python.packages("Name: A\n\n", "/m")) == []
