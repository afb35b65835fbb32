"""Which user namespace a container of the OCI runtime gets (runtime-spec config-linux.md).

Who is root of a user namespace already, as under podman, needs no other; an ordinary user cannot
do without one, whether the spec names it or not.
"""

import logging
import os

from rootless.errors import InvalidInput
from rootless.linux import capset
from rootless.oci.linux_spec import IDMapping
from rootless.oci.runtime_spec import Spec
from rootless.userns.idmap import IDMap, Mapping
from rootless.userns.maps import MapRequest, Maps, choose_maps
from rootless.userns.subid import Caller

log = logging.getLogger(__name__)


def maps_for(spec: Spec) -> Maps | None:
    """Return the maps of the new user namespace; None where none is made. Raises InvalidInput."""
    namespace = spec.linux.namespace("user")
    if namespace is not None and namespace.path:
        return None
    privileged = is_privileged()
    if namespace is None and privileged:
        return None
    if not spec.linux.uid_mappings:
        if namespace is None:
            log.debug("an ordinary user needs a user namespace: one with the default maps is made")
        user = spec.process.user
        return choose_maps(MapRequest(uid=user.uid, gid=user.gid), Caller.current())
    uid, gid = id_map_of(spec.linux.uid_mappings), id_map_of(spec.linux.gid_mappings)
    if not gid.mappings:
        raise InvalidInput("there are uidMappings and no gidMappings", "linux.gidMappings")
    return Maps(
        uid,
        gid,
        user_uid=_inside(uid, os.getuid()),
        user_gid=_inside(gid, os.getgid()),
        single=uid.size == 1,
        privileged=privileged,
    )


def is_privileged() -> bool:
    """Tell whether the caller is root of his user namespace, by what he may do there."""
    needed = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID")
    return all(capset.permitted() >> capset.NUMBERS[name] & 1 for name in needed)


def allows_setgroups(pid: int | str = "self") -> bool:
    """Tell whether a process's user namespace allows setgroups(2) (user_namespaces(7))."""
    with open(f"/proc/{pid}/setgroups", encoding="ascii") as file:
        return file.read().strip() == "allow"


def _inside(idmap: IDMap, outside: int) -> int:
    found = idmap.to_inside(outside)
    return 0 if found is None else found


def id_map_of(mappings: tuple[IDMapping, ...]) -> IDMap:
    """Return a spec's mappings as the map that they are."""
    return IDMap(tuple(Mapping(m.container_id, m.host_id, m.size) for m in mappings))
