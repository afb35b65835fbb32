"""Which entries of a policy can be an image's: containers-policy.json(5), "transports"."""

import os
from dataclasses import dataclass, replace

from rootless.oci.reference import Reference


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image comes from, as a policy sees it.

    Attributes:
        transport: `docker` for registries, `oci`, `oci-archive`, `docker-archive`, `dir`.
        scopes: What may be said of it there, the most exact first.
        name: For messages.
    """

    transport: str
    scopes: tuple[str, ...]
    name: str


def registry_place(reference: Reference) -> Place:
    """Return the place of an image in a registry, by its full name."""
    name = reference.repository
    image = replace(reference, tag="") if reference.digest else reference
    scopes = [str(image), name]
    while "/" in name:
        name = name.rpartition("/")[0]
        scopes.append(name)
    host = name.partition(":")[0]
    while "." in host:
        host = host.partition(".")[2]
        scopes.append(f"*.{host}")
    return Place("docker", tuple(scopes), str(reference))


def path_place(transport: str, path: str) -> Place:
    """Return the place of an image in a folder or a file; an archive of Docker's has no scopes."""
    shown = path
    scopes = []
    if transport != "docker-archive" and path != "-":  # standard input is nowhere
        path = os.path.realpath(path)
        while path != "/":
            scopes.append(path)
            path = os.path.dirname(path)
    return Place(transport, tuple(scopes), shown)
