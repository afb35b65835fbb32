"""What a container's network is, all decisions made: plain data that can be kept."""

from dataclasses import dataclass, replace

from rootless.containers.network.ports import PortMapping
from rootless.oci.runtime_spec import Spec

JOINED = "ns"


@dataclass(frozen=True, slots=True)
class Network:
    """One container's network.

    Attributes:
        kind: "host" and "none" are as the spec has them; "pasta" and "slirp4netns" are the
            forwarder of a namespace of its own; "ns" is a namespace that is joined.
        options: The forwarder's, as the user gave them.
        ports: What is published, every port of the host known.
        path: Of a namespace to join.
        container: Whose namespace that is, by ID: at its next start it is another one.
        address: The container's own, "" where nobody here says which.
        resolver: A name server inside that asks the host's first one; "" for none.
        host_address: How the host is reached from inside; "" where it is not.
    """

    kind: str = "host"
    options: tuple[str, ...] = ()
    ports: tuple[PortMapping, ...] = ()
    path: str = ""
    address: str = ""
    resolver: str = ""
    host_address: str = ""
    container: str = ""

    @property
    def has_forwarder(self) -> bool:
        """Tell whether a program carries its packets."""
        return self.kind in ("pasta", "slirp4netns")

    def spec_inside(self, spec: Spec) -> Spec:
        """Return the spec for a process that is in the network's namespace already."""
        if self.kind != JOINED and not self.has_forwarder:
            return spec
        others = tuple(each for each in spec.linux.namespaces if each.type != "network")
        return replace(spec, linux=replace(spec.linux, namespaces=others))
