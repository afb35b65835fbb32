"""`rootless.transfer.ensure`: when a registry is asked, and what its failure means."""

from dataclasses import replace

import images
import pytest

from rootless.errors import AccessDenied, IntegrityError, NotFound, RegistryError, RootlessError
from rootless.image import names
from rootless.image.names import Entry
from rootless.image.store import Store
from rootless.oci.descriptor import Platform
from rootless.oci.manifest import stored_manifest
from rootless.transfer.ensure import ensure_image, may_be_pulled
from rootless.transfer.pull_options import Policy

NAME = "docker.io/library/app:latest"
AMD = Platform("linux", "amd64")


@pytest.fixture
def there(store: Store) -> Store:
    """The store with an image for amd64."""
    config = images.image_config([])
    digest = store.write_blob(config)
    data = stored_manifest((digest, len(config)), []).to_bytes()
    entry = Entry("", store.write_blob(data), len(data), digest)
    names.add(store, [replace(entry, reference=NAME)])
    return store


class Fetch:
    """Pulls, or fails; counts."""

    def __init__(self, error: RootlessError | None = None) -> None:
        self.error = error
        self.calls = 0

    def __call__(self) -> str:
        """Pull."""
        self.calls += 1
        if self.error is not None:
            raise self.error
        return "pulled"


@pytest.mark.parametrize(
    ("policy", "if_there", "if_not"),
    [
        (Policy.MISSING, "app", "pulled"),
        (Policy.ALWAYS, "pulled", "pulled"),
        (Policy.NEWER, "pulled", "pulled"),
    ],
)
def test_policies(there: Store, policy: Policy, if_there: str, if_not: str) -> None:
    """A registry is asked where the policy says so."""
    assert ensure_image(there, "app", policy, Fetch()) == if_there
    assert ensure_image(there, "other", policy, Fetch()) == if_not


def test_never(there: Store) -> None:
    """What is not there is not looked for elsewhere."""
    fetch = Fetch()
    assert ensure_image(there, "app", Policy.NEVER, fetch) == "app"
    with pytest.raises(NotFound, match="no such image: other"):
        ensure_image(there, "other", Policy.NEVER, fetch)
    assert fetch.calls == 0


@pytest.mark.parametrize(
    "name",
    ["localhost/app", "localhost/app:1", "sha256:" + "a" * 64, "a" * 64, "sha256:abcdef"],
)
def test_names_of_no_registry(store: Store, name: str) -> None:
    """Neither an ID nor a name of localhost is looked for in a registry."""
    assert not may_be_pulled(name)
    fetch = Fetch()
    with pytest.raises(NotFound):
        ensure_image(store, name, Policy.ALWAYS, fetch)
    assert fetch.calls == 0


@pytest.mark.parametrize(
    "name", ["debian", "abcdef", "localhost:5000/app", "quay.io/a/b@sha256:" + "a" * 64]
)
def test_names_of_registries(name: str) -> None:
    """Short and full names may be a registry's."""
    assert may_be_pulled(name)


@pytest.mark.parametrize(
    "error", [NotFound("gone"), AccessDenied("who?"), RegistryError("no route")]
)
def test_no_answer(there: Store, error: RootlessError) -> None:
    """`newer` makes do with what is there; `always` does not."""
    assert ensure_image(there, "app", Policy.NEWER, Fetch(error)) == "app"
    with pytest.raises(type(error)):
        ensure_image(there, "app", Policy.ALWAYS, Fetch(error))


def test_damage_is_no_missing_answer(there: Store) -> None:
    """An image that came damaged is never hidden by what is there."""
    with pytest.raises(IntegrityError):
        ensure_image(there, "app", Policy.NEWER, Fetch(IntegrityError("wrong digest")))


def test_nowhere(there: Store) -> None:
    """Who has mistyped a name reads what was meant, and why no registry has it."""
    fetch = Fetch(RegistryError("host cannot be found", "docker.io"))
    with pytest.raises(NotFound) as caught:
        ensure_image(there, "appp", Policy.MISSING, fetch)
    says = f"no such image: appp (did you mean {NAME}? host cannot be found: docker.io)"
    assert str(caught.value) == says
    with pytest.raises(NotFound, match=r"no such image: zzz \(host cannot be found: docker.io\)"):
        ensure_image(there, "zzz", Policy.NEWER, fetch)


def test_another_platform(there: Store) -> None:
    """An image for another platform than the one asked for does not serve."""
    assert ensure_image(there, "app", Policy.MISSING, Fetch(), platform=AMD) == "app"
    arm = Platform("linux", "arm64")
    assert ensure_image(there, "app", Policy.MISSING, Fetch(), platform=arm) == "pulled"
    with pytest.raises(NotFound, match="not for the platform: app, linux/arm64"):
        ensure_image(there, "app", Policy.NEVER, Fetch(), platform=arm)


@pytest.mark.parametrize("name", ["/none/x.rlf", "./x.rlf", "../x.sif"])
def test_the_image_of_a_file_is_not_pulled(store: Store, name: str) -> None:
    """A path is used where it lies, whatever the policy says."""
    fetch = Fetch()
    for policy in Policy:
        assert ensure_image(store, name, policy, fetch) == name
    assert fetch.calls == 0


def test_an_alias_finds_what_was_pulled_by_it(there: Store) -> None:
    """A short name that only registries.conf knows stands for the store's image, unasked."""
    fetch = Fetch()
    for policy in (Policy.MISSING, Policy.NEVER):
        found = ensure_image(there, "short", policy, fetch, candidates=lambda _: ["x.io/y:1", NAME])
        assert found == NAME
    assert fetch.calls == 0
    assert ensure_image(there, "short", Policy.NEWER, fetch, candidates=lambda _: [NAME])
    assert fetch.calls == 1


def test_the_registry_of_a_full_name_says_why(store: Store) -> None:
    """What could have come from one place alone has that place's error, and no other."""
    error = RegistryError("host cannot be found", "quay.io", "is the network there?")
    with pytest.raises(RegistryError) as raised:
        ensure_image(store, "quay.io/a/b", Policy.MISSING, Fetch(error))
    assert raised.value is error
