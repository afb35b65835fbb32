"""`rootless.sbom.documents`: what the documents' own readers make of them."""

import json
import sys

import pytest
from cyclonedx.model.bom import Bom
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from rootless.errors import Precondition
from rootless.sbom import documents
from rootless.sbom.find import Found
from rootless.sbom.package import DEB, PYPI, Distribution, Package

FOUND = Found(
    Distribution("debian", "12"),
    (
        Package(DEB, "libc6", "2.36-9+deb12u4", "amd64", "glibc", vendor="GNU", path="/s"),
        Package(PYPI, "A", "1", license="MIT", path="/one"),
        Package(PYPI, "A", "1", license="my own", path="/two"),
    ),
    ("/old",),
)
DIGEST = "sha256:" + "a" * 64


def test_json() -> None:
    """Our own has everything, and the packages' URLs."""
    shown = documents.as_json(FOUND, "pic", DIGEST)
    assert shown["image"] == {"name": "pic", "digest": DIGEST}
    assert shown["packages"][0]["purl"].startswith("pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch")
    assert shown["unread"] == ["/old"]
    assert [row[:2] for row in documents.rows(FOUND.packages)][1] == ["A", "1"]


def test_cyclonedx() -> None:
    """Its library reads it back, with the image, the packages and their URLs."""
    bom = Bom.from_json(json.loads(documents.as_cyclonedx(FOUND, "pic", DIGEST)))  # type: ignore[attr-defined]
    assert bom.metadata.component.name == "pic"
    assert sorted((each.name, each.purl.type) for each in bom.components) == [
        *[("A", "pypi")] * 2,
        ("libc6", "deb"),
    ]
    assert bom.validate()


def test_spdx() -> None:
    """Its library reads it back and finds no fault."""
    document = JsonLikeDictParser().parse(json.loads(documents.as_spdx(FOUND, "pic", DIGEST)))
    assert validate_full_spdx_document(document) == []
    assert [each.name for each in document.packages] == ["pic", "libc6", "A", "A"]


@pytest.mark.parametrize(
    ("module", "make"),
    [("cyclonedx", documents.as_cyclonedx), ("spdx_tools", documents.as_spdx)],
)
def test_without_the_library(module: str, make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Precondition, match=r"not installed.*rootless\[sbom\]"):
        make(FOUND, "pic", DIGEST)  # type: ignore[operator]
