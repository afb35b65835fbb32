"""From names to places: containers-registries.conf(5)."""

import pytest

from rootless.errors import InvalidInput
from rootless.oci.digest import sha256_of
from rootless.oci.reference import parse_reference
from rootless.registry.endpoints import (
    Endpoint,
    endpoints,
    own_endpoint,
    registry_endpoint,
)
from rootless.registry.registries_conf import RegistriesConf, parse_registries_conf

CONF = parse_registries_conf(
    b"""
[[registry]]
prefix = "example.com/foo"
location = "internal.example.net/bar"
[[registry.mirror]]
location = "mirror-0.local/mirror-for-foo"
[[registry.mirror]]
location = "mirror-1.local:5000/mirrors/foo"
insecure = true
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "mirror-2.local"
pull-from-mirror = "tag-only"

[[registry]]
prefix = "example.com/foo/bad"
blocked = true
location = "example.com/foo/bad"

[[registry]]
prefix = "*.wild.test"
insecure = true

[[registry]]
prefix = "*.deep.wild.test"
location = "cache.test"

[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.test/hub"

[[registry]]
prefix = "one.test/image:7"
location = "one.test/image:8"

[[registry]]
prefix = "broken.test"
location = "broken.test/UPPER"
""",
    "conf",
)


def places(name: str, conf: RegistriesConf = CONF, *, tls_verify: bool | None = None) -> list[str]:
    """Return where an image is read from, `!` for what is insecure, `~` for mirrors."""
    found = endpoints(parse_reference(name).canonical(), conf, tls_verify=tls_verify)
    return [f"{'~' * e.is_mirror}{'!' * e.insecure}{e.host}/{e.path}" for e in found]


def test_without_an_entry() -> None:
    """A name leads to its own registry; Docker Hub's has another host."""
    assert places("quay.io/org/image") == ["quay.io/org/image"]
    (hub,) = endpoints(parse_reference("docker.io/debian").canonical(), RegistriesConf())
    assert hub == Endpoint("docker.io", "library/debian")
    assert (hub.host, hub.repository) == ("registry-1.docker.io", "docker.io/library/debian")


def test_mirrors_and_rewriting() -> None:
    """Mirrors come first, by tag or by digest; the prefix is replaced by the location."""
    first, last = "~mirror-0.local/mirror-for-foo/image", "internal.example.net/bar/image"
    assert places("example.com/foo/image:1") == [first, "~mirror-2.local/image", last]
    by_digest = f"example.com/foo/image@{sha256_of(b'')}"
    assert places(by_digest) == [first, "~!mirror-1.local:5000/mirrors/foo/image", last]
    assert places("debian") == ["localhost/debian"]
    assert places("docker.io/debian") == [
        "~mirror.test/hub/library/debian",
        "registry-1.docker.io/library/debian",
    ]


def test_prefixes_end_at_separators() -> None:
    """A prefix means whole components; the longest one counts; a tag may belong to it."""
    assert places("example.com/foobar/image") == ["example.com/foobar/image"]
    assert places("one.test/image:7") == ["one.test/image"]
    with pytest.raises(InvalidInput, match=r"registry is blocked: example\.com/foo/bad/image"):
        places("example.com/foo/bad/image")
    with pytest.raises(InvalidInput, match="blocked"):
        own_endpoint(parse_reference("example.com/foo/bad/image:1"), CONF)


def test_wildcards() -> None:
    """`*.` matches any number of subdomains, not the domain itself; a location takes its place."""
    assert places("a.b.wild.test:5000/x") == ["!a.b.wild.test:5000/x"]
    assert places("wild.test/x") == ["wild.test/x"]
    assert places("notwild.test/x") == ["notwild.test/x"]
    assert places("a.deep.wild.test:5000/x") == ["cache.test:5000/x"]


def test_the_command_line_decides_on_tls() -> None:
    """--tls-verify holds for every place, whatever registries.conf says."""
    assert places("a.wild.test/x", tls_verify=True) == ["a.wild.test/x"]
    assert all("!" in place for place in places("example.com/foo/image:1", tls_verify=False))


def test_writing() -> None:
    """A push goes to the name itself: no mirror, no rewriting, but insecure as the entry says."""
    assert own_endpoint(parse_reference("example.com/foo/image:1"), CONF) == Endpoint(
        "example.com", "foo/image"
    )
    assert own_endpoint(parse_reference("a.wild.test/x:1"), CONF).insecure


def test_a_login() -> None:
    """It is for a host or a namespace, insecure as the entry says."""
    assert registry_endpoint("quay.io", CONF) == Endpoint("quay.io", "")
    assert registry_endpoint("quay.io/org", CONF) == Endpoint("quay.io", "org")
    assert registry_endpoint("a.wild.test:5000", CONF).insecure
    with pytest.raises(InvalidInput, match="no valid name"):
        registry_endpoint("not a host", CONF)


def test_a_location_that_is_none() -> None:
    """What registries.conf makes of a name is checked as any name."""
    with pytest.raises(InvalidInput, match=r"registries\.conf leads to no valid name"):
        places("broken.test/x")
