"""`rootless.signature.scopes`: which entries of a policy can be an image's."""

from pathlib import Path

import pytest

from rootless.oci.reference import parse_reference
from rootless.signature.scopes import path_place, registry_place

DIGEST = "@sha256:" + "a" * 64


def test_an_image_in_a_registry() -> None:
    """From the image itself over its namespaces to the host, then the domains above it."""
    place = registry_place(parse_reference("a.b.example.com:5000/x/y:1"))
    assert place.transport == "docker"
    assert place.scopes == (
        "a.b.example.com:5000/x/y:1",
        "a.b.example.com:5000/x/y",
        "a.b.example.com:5000/x",
        "a.b.example.com:5000",
        "*.b.example.com",
        "*.example.com",
        "*.com",
    )


def test_an_image_by_digest() -> None:
    """The digest says more than a tag beside it."""
    place = registry_place(parse_reference("r.example/x:1" + DIGEST))
    assert place.scopes == ("r.example/x" + DIGEST, "r.example/x", "r.example", "*.example")
    assert place.name == "r.example/x:1" + DIGEST


@pytest.mark.parametrize("transport", ["oci", "oci-archive", "dir"])
def test_a_path(transport: str, tmp_path: Path) -> None:
    """Without links, up to, but not including, the root."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    place = path_place(transport, str(tmp_path / "link" / "image"))
    assert place.scopes[0] == str(tmp_path / "real" / "image")
    assert place.scopes[1] == str(tmp_path / "real")
    assert place.scopes[-1].count("/") == 1
    assert place.name == str(tmp_path / "link" / "image")


def test_an_archive_of_docker() -> None:
    """It has no scopes of its own."""
    assert path_place("docker-archive", "/a/b").scopes == ()
