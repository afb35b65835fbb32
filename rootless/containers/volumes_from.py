"""`--volumes-from`: the folders and files of the host that another container has; pure.

They are what `inspect` shows as its mounts, by its record, whether it runs or not. Memory (tmpfs)
is each container's own, as with podman and docker.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from rootless.bundle import default_spec
from rootless.containers.record import Record
from rootless.containers.request import RunRequest
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Mount

_ACCESS = ("ro", "rw")
_LABELS = ("z", "Z")  # SELinux relabelling, accepted for compatibility as --volume does
_READ_ONLY = ("ro", "rro")
_OF_THE_HOST = (default_spec.HOST_PROC, default_spec.HOST_SHM)  # what --pid and --ipc bring


def with_volumes(request: RunRequest, find: Callable[[str], Record]) -> RunRequest:
    """Return the request with the mounts of others; its own, and of these the last, win.

    Args:
        request: Whose `volumes_from` names them, CONTAINER[:ro|rw] each.
        find: Returns the container of a name.

    Raises:
        NotFound: There is no such container.
        InvalidInput: What follows the colon is unknown.
    """
    found: dict[str, Mount] = {}
    for text in request.volumes_from:
        word, colon, rest = text.partition(":")
        access = _access(rest.split(",") if colon else (), text)
        mounts = find(word).container.spec.mounts
        found |= {each.destination: _with_access(each, access) for each in mounts if _is_lent(each)}
    options = request.options
    mounts = (*options.left_open(found.values()), *options.mounts)
    return replace(request, options=replace(options, mounts=mounts))


def _access(words: Iterable[str], text: str) -> str:
    """Return "ro" or "rw", "" for that of the other container."""
    words = tuple(words)
    unknown = [word for word in words if word not in (*_ACCESS, *_LABELS)]
    if unknown or len(set(words) & set(_ACCESS)) > 1:
        fix = "CONTAINER, CONTAINER:ro or CONTAINER:rw"
        raise InvalidInput("not a container to have volumes from", text, fix)
    return next((word for word in words if word in _ACCESS), "")


def _is_lent(mount: Mount) -> bool:
    is_bind = mount.type == "bind" or bool({"bind", "rbind"} & set(mount.options))
    return is_bind and mount not in _OF_THE_HOST


def _with_access(mount: Mount, access: str) -> Mount:
    if not access:
        return mount
    others = tuple(each for each in mount.options if each not in (*_READ_ONLY, "rw"))
    return replace(mount, options=(*others, access))
