"""From an image's name to the places that are asked for it (pure).

containers-registries.conf(5), "Choosing a [[registry]] TOML table" and "Remapping and mirroring
registries": the longest prefix wins, mirrors come first, in their order. A push goes to the name
itself, as with podman and skopeo: neither mirrors nor rewriting are for writing.
"""

from dataclasses import dataclass, replace

from rootless.errors import InvalidInput
from rootless.oci.reference import DOCKER_HUB, Reference, parse_reference
from rootless.registry.registries_conf import RegistriesConf, RegistryEntry

# What `docker.io` is called where it is asked.
_DOCKER_HUB_HOST = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place of a repository.

    Attributes:
        domain: Registry by its name, `docker.io`: credentials and certificates are kept under it.
        path: Repository within the registry.
        insecure: Whether HTTP and certificates that nobody vouches for are good enough.
        is_mirror: Whether others are asked when it fails.
    """

    domain: str
    path: str
    insecure: bool = False
    is_mirror: bool = False

    @property
    def host(self) -> str:
        """Host and port that are connected to."""
        return _DOCKER_HUB_HOST if self.domain == DOCKER_HUB else self.domain

    @property
    def repository(self) -> str:
        """The name of the repository there."""
        return f"{self.domain}/{self.path}"


def endpoints(
    reference: Reference, conf: RegistriesConf, *, tls_verify: bool | None = None
) -> tuple[Endpoint, ...]:
    """Return where to read an image from, in order; raises InvalidInput where it is blocked.

    Args:
        reference: A canonical one.
        conf: The registries.
        tls_verify: What the command line says of TLS, for every place.
    """
    entry = _entry_of(str(reference), conf)
    if entry is None:
        return (_endpoint(str(reference), insecure=False, tls_verify=tls_verify),)
    places = [
        _endpoint(
            _moved(reference, entry, mirror.location),
            insecure=mirror.insecure,
            tls_verify=tls_verify,
            is_mirror=True,
        )
        for mirror in entry.mirrors
        if mirror.pulls == "all" or (mirror.pulls == "digest-only") == bool(reference.digest)
    ]
    own = _moved(reference, entry, entry.location) if entry.location else str(reference)
    return (*places, _endpoint(own, insecure=entry.insecure, tls_verify=tls_verify))


def own_endpoint(
    reference: Reference, conf: RegistriesConf, *, tls_verify: bool | None = None
) -> Endpoint:
    """Return where to write an image to; raises InvalidInput where it is blocked."""
    entry = _entry_of(str(reference), conf)
    insecure = entry is not None and entry.insecure
    return _endpoint(str(reference), insecure=insecure, tls_verify=tls_verify)


def registry_endpoint(
    key: str, conf: RegistriesConf, *, tls_verify: bool | None = None
) -> Endpoint:
    """Return the place that a login is for: `HOST`, or `HOST/NAMESPACE`."""
    entry = _entry_of(key, conf)
    host, _, path = key.partition("/")
    insecure = entry is not None and entry.insecure
    place = _endpoint(f"{host}/x", insecure=insecure, tls_verify=tls_verify)
    return replace(place, path=path)


def _entry_of(name: str, conf: RegistriesConf) -> RegistryEntry | None:
    """Return the entry with the longest prefix of the name, or None."""
    fitting = [entry for entry in conf.entries.values() if _matched(name, entry.prefix)]
    entry = max(fitting, key=lambda entry: len(entry.prefix), default=None)
    if entry is not None and entry.blocked:
        fix = f"the entry {entry.prefix} of registries.conf says so"
        raise InvalidInput("registry is blocked", name, fix)
    return entry


def _matched(name: str, prefix: str) -> int:
    """Return how much of a name a prefix matches, 0 where it does not."""
    if prefix.startswith("*."):
        host = name.partition("/")[0].partition(":")[0]
        return len(host) if host.endswith(prefix[1:]) else 0
    is_prefix = name.startswith(prefix) and name[len(prefix) : len(prefix) + 1] in ("", *"/:@")
    return len(prefix) if is_prefix else 0


def _moved(reference: Reference, entry: RegistryEntry, location: str) -> str:
    """Return the name with a location in place of what the prefix matches."""
    name = str(reference)
    return location + name[_matched(name, entry.prefix) :]


def _endpoint(
    name: str, *, insecure: bool, tls_verify: bool | None, is_mirror: bool = False
) -> Endpoint:
    try:
        place = parse_reference(name).canonical("")
    except InvalidInput as error:
        raise InvalidInput("registries.conf leads to no valid name", name, str(error)) from error
    if not place.domain:
        raise InvalidInput("registries.conf leads to a name without a registry", name)
    return Endpoint(
        domain=place.domain,
        path=place.path,
        insecure=insecure if tls_verify is None else not tls_verify,
        is_mirror=is_mirror,
    )
