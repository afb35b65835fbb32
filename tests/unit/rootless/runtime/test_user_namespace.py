"""Which user namespace a container gets."""

import os
from dataclasses import replace

import pytest

from rootless.errors import InvalidInput
from rootless.oci.linux_spec import IDMapping, LinuxSpec, Namespace
from rootless.oci.runtime_spec import Process, Spec
from rootless.runtime.user_namespace import is_privileged, maps_for
from rootless.userns.idmap import Mapping

UID, GID = os.getuid(), os.getgid()
SPEC = Spec(process=Process(args=("true",)))


def with_linux(linux: LinuxSpec) -> Spec:
    """Return a spec with this `linux` object."""
    return replace(SPEC, linux=linux)


@pytest.mark.needs_user
def test_an_ordinary_user_gets_one() -> None:
    """Named or not, without mappings: the default ones, with the user as root."""
    assert not is_privileged()
    for namespaces in ((), (Namespace("user"),)):
        maps = maps_for(with_linux(LinuxSpec(namespaces=namespaces)))
        assert maps is not None
        assert maps.uid.to_inside(UID) == 0
        assert not maps.privileged


@pytest.mark.needs_user
def test_mappings_of_the_spec() -> None:
    """Mappings are taken as they are."""
    linux = LinuxSpec(
        namespaces=(Namespace("user"),),
        uid_mappings=(IDMapping(7, UID, 1),),
        gid_mappings=(IDMapping(8, GID, 1),),
    )
    maps = maps_for(with_linux(linux))
    assert maps is not None
    assert (maps.uid.mappings, maps.gid.mappings) == ((Mapping(7, UID, 1),), (Mapping(8, GID, 1),))
    assert (maps.user_uid, maps.user_gid, maps.single) == (7, 8, True)


def test_one_that_is_joined_is_not_made() -> None:
    """A namespace with a path has its maps."""
    namespace = Namespace("user", "/proc/1/ns/user")
    assert maps_for(with_linux(LinuxSpec(namespaces=(namespace,)))) is None


def test_half_of_the_mappings() -> None:
    """UIDs without GIDs are refused."""
    linux = LinuxSpec(namespaces=(Namespace("user"),), uid_mappings=(IDMapping(0, UID, 1),))
    with pytest.raises(InvalidInput, match=r"there are uidMappings and no gidMappings"):
        maps_for(with_linux(linux))
