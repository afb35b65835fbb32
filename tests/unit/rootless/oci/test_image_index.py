"""Image indexes and the choice of a platform."""

import pytest

from rootless.errors import InvalidInput
from rootless.oci.descriptor import MANIFEST, Descriptor, Platform
from rootless.oci.digest import sha256_of
from rootless.oci.image_index import (
    ImageIndex,
    choose,
    host_platform,
    matches,
    parse_image_index,
    parse_platform,
)

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64", "v8")


def offer(platform: Platform | None) -> Descriptor:
    """Return a manifest for a platform."""
    return Descriptor(MANIFEST, sha256_of(str(platform).encode()), 1, {}, platform)


def test_written_and_read() -> None:
    """An index that is written reads back as the same; one without manifests is empty."""
    index = ImageIndex((offer(AMD64), offer(None)))
    assert parse_image_index(index.to_bytes()) == index
    assert parse_image_index(b"{}") == ImageIndex(())


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/amd64", AMD64),
        ("arm64", Platform("linux", "arm64")),
        ("linux/arm/v7", Platform("linux", "arm", "v7")),
    ],
)
def test_platform_words(text: str, platform: Platform) -> None:
    """OS/ARCHITECTURE[/VARIANT]; a lone word is an architecture of Linux."""
    assert parse_platform(text) == platform


@pytest.mark.parametrize("text", ["", "/", "linux/", "/amd64", "a/b/c/d", "linux//v7"])
def test_no_platform(text: str) -> None:
    """An empty part, and a fourth one, are refused."""
    with pytest.raises(InvalidInput, match="not a platform"):
        parse_platform(text)


@pytest.mark.parametrize(
    ("wanted", "offered", "fits"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux/arm64", False),
        ("linux/amd64", "windows/amd64", False),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm/v7", "linux/arm/v6", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/arm/v6", "linux/arm", False),
        ("linux/amd64", "linux/amd64/v3", False),
    ],
)
def test_matches(wanted: str, offered: str, fits: bool) -> None:  # noqa: FBT001
    """Variants that are left out are the usual ones; ARM runs what is older than itself."""
    assert matches(parse_platform(wanted), parse_platform(offered)) is fits
    assert matches(parse_platform(wanted), None)


def test_choice() -> None:
    """The nearest variant wins, then a stated platform, then the first; none where none fits."""
    v6, v7, silent = (Platform("linux", "arm", "v6"), Platform("linux", "arm", "v7"), None)
    offers = [offer(silent), offer(v6), offer(v7), offer(AMD64)]
    assert choose(offers, v7) == offers[2]
    assert choose(offers, v6) == offers[1]
    assert choose(offers[:1], v6) == offers[0]
    assert choose(offers[1:], ARM64) is None
    assert choose([], AMD64) is None


def test_this_host_has_a_platform() -> None:
    """The host's machine is named as images name it."""
    found = host_platform()
    assert found.os == "linux"
    assert found.architecture not in ("", "x86_64", "aarch64")
