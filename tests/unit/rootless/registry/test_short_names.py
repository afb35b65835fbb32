"""Short names: containers-registries.conf(5), "Short-Name Aliasing"."""

from dataclasses import replace

import pytest

from rootless.errors import InvalidInput
from rootless.oci.digest import sha256_of
from rootless.registry.registries_conf import RegistriesConf
from rootless.registry.short_names import candidates_of

CONF = RegistriesConf(
    search=("a.test", "b.test:5000"),
    aliases={"debian": "docker.io/library/debian", "org/app": "quay.io/org/app", "bad": "x"},
)


def found(name: str, conf: RegistriesConf = CONF) -> list[str]:
    """Return what a name may mean."""
    return [str(reference) for reference in candidates_of(name, conf)]


def test_a_full_name() -> None:
    """It means itself."""
    assert found("quay.io/org/app:1") == ["quay.io/org/app:1"]
    assert found("docker.io/debian") == ["docker.io/library/debian:latest"]
    assert found("localhost/debian") == ["localhost/debian:latest"]


def test_aliases() -> None:
    """An alias is the only meaning; tag and digest go along."""
    assert found("debian") == ["docker.io/library/debian:latest"]
    assert found("debian:12") == ["docker.io/library/debian:12"]
    digest = sha256_of(b"")
    assert found(f"org/app@{digest}") == [f"quay.io/org/app@{digest}"]
    with pytest.raises(InvalidInput, match="alias is not valid: bad = x"):
        found("bad")


def test_the_search() -> None:
    """Every registry is tried in order; Docker Hub where nothing is said."""
    assert found("app:1") == ["a.test/app:1", "b.test:5000/app:1"]
    assert found("app", RegistriesConf()) == ["docker.io/library/app:latest"]
    assert found("org/app", RegistriesConf()) == ["docker.io/org/app:latest"]
    with pytest.raises(InvalidInput, match="no registry to search"):
        found("app", RegistriesConf(search=()))


def test_enforcing() -> None:
    """Where podman would ask, the choices are listed; one registry is no question."""
    strict = replace(CONF, short_name_mode="enforcing")
    with pytest.raises(InvalidInput, match=r"ambiguous: app \(give one of a\.test/app:latest, b"):
        found("app", strict)
    assert found("debian", strict) == ["docker.io/library/debian:latest"]
    assert found("app", replace(strict, search=("a.test",))) == ["a.test/app:latest"]
