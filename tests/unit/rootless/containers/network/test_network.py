"""A network, and the spec that its processes start from."""

import pytest

from rootless.bundle.default_spec import default_namespaces, default_spec
from rootless.containers.network.network import Network
from rootless.oci.linux_spec import LinuxSpec
from rootless.oci.runtime_spec import Spec


def spec_of(network: str) -> Spec:
    """Return a spec with that network's namespaces."""
    return Spec(default_spec().process, linux=LinuxSpec(default_namespaces(network)))


@pytest.mark.parametrize("kind", ["pasta", "slirp4netns", "ns"])
def test_a_network_that_was_entered_is_not_made_again(kind: str) -> None:
    """Inside the namespace the spec asks for no other; the rest of it stays."""
    spec = spec_of("none")
    inside = Network(kind).spec_inside(spec)
    assert inside.linux.namespace("network") is None
    assert len(inside.linux.namespaces) == len(spec.linux.namespaces) - 1
    assert inside.process == spec.process


@pytest.mark.parametrize("kind", ["host", "none"])
def test_the_spec_s_own(kind: str) -> None:
    """The host's network and none are the spec's own matter."""
    spec = spec_of(kind)
    assert Network(kind).spec_inside(spec) == spec
    assert not Network(kind).has_forwarder
