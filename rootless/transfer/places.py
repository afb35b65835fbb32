"""Where images lie, as skopeo writes it: containers-transports(5).

docker://REFERENCE            a registry
oci:DIR[:NAME]                an OCI image layout
oci-archive:FILE[:NAME]       the same in a tar
docker-archive:FILE[:NAME]    what `docker save` writes
dir:DIR                       skopeo's own: blobs by their digests, one manifest.json
NAME                          the store
"""

import os
from dataclasses import dataclass

from rootless.errors import InvalidInput

STORE = ""
REGISTRY = "docker"
FILES = ("oci", "oci-archive", "docker-archive", "dir")
_REFUSED = {
    "containers-storage": "podman's store has no files to copy: `podman save` writes an archive",
    "docker-daemon": "`docker save` writes an archive, `docker load` reads one",
    "ostree": "copy it to oci: with skopeo first",
    "sif": "`rootless run` takes the file as it is",
    "tarball": "`rootless import` takes a root file system",
    "atomic": "use docker:// for its registry",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a copy.

    Attributes:
        transport: "docker", one of `FILES`, or "" for the store.
        path: The file or folder; for a registry and the store the name.
        name: Which image in it; may be empty.
    """

    transport: str
    path: str
    name: str = ""

    def __str__(self) -> str:
        if self.transport in (STORE, REGISTRY):
            return f"{'docker://' if self.transport else ''}{self.path}"
        return f"{self.transport}:{self.path}" + (f":{self.name}" if self.name else "")


def parse_place(text: str) -> Place:
    """Read one end of a copy; raises InvalidInput."""
    transport, colon, rest = text.partition(":")
    if colon and transport in _REFUSED:
        raise InvalidInput("images are not copied from or to there", text, _REFUSED[transport])
    if text.startswith("docker://"):
        if not text.removeprefix("docker://"):
            raise InvalidInput("image name is empty", text)
        return Place(REGISTRY, text.removeprefix("docker://"))
    if colon and transport == REGISTRY:
        raise InvalidInput("not a registry's image", text, f"write docker://{rest}")
    if not colon or transport not in FILES:
        if "://" in text:
            known = ", ".join(("docker://", *(f"{each}:" for each in FILES)))
            raise InvalidInput("no such transport", text, f"one of {known}")
        return Place(STORE, text)
    path, name = _split(rest) if transport != "dir" else (rest, "")
    if not path:
        raise InvalidInput("path is empty", text)
    return Place(transport, path, name)


def _split(text: str) -> tuple[str, str]:
    """Split `PATH[:NAME]`: at the first colon, but for one in a path that is there."""
    position = text.find(":")
    first = position
    while position > 0:
        if os.path.exists(text[:position]):
            return text[:position], text[position + 1 :]
        position = text.find(":", position + 1)
    if first < 0 or os.path.exists(text):
        return text, ""
    return text[:first], text[first + 1 :]
