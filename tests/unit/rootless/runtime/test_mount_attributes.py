"""Attributes of mounts: what can be told without one (tests/run/test_bundle_mounts.py)."""

import os

import pytest

from rootless.errors import InvalidInput
from rootless.oci.linux_spec import IDMapping
from rootless.oci.runtime_spec import Mount
from rootless.runtime.mount_attributes import _inside, map_owners
from rootless.runtime.mount_options import parse_mount_options


def test_maps_are_not_asked_for() -> None:
    """Without words and maps nothing is done: the descriptor is not even looked at."""
    map_owners(-1, Mount("/a"), parse_mount_options(["rbind", "ro"]))


@pytest.mark.parametrize("one", [(IDMapping(0, 0, 1),), ()])
def test_both_maps_are_needed(one: tuple[IDMapping, ...]) -> None:
    """A map of users alone, or the word without maps, is refused."""
    mount = Mount("/a", options=("idmap",), uid_mappings=one)
    with pytest.raises(InvalidInput, match=r"needs its uidMappings and gidMappings: /a"):
        map_owners(-1, mount, parse_mount_options(mount.options))


def test_host_ids_are_the_containers_own() -> None:
    """The map is written inside: a host ID that is not mapped there is refused."""
    uid = os.getuid()  # in the host's namespace each ID is itself
    assert _inside("uid", IDMapping(0, uid, 1)) == uid
    with pytest.raises(InvalidInput, match=r"does not have: 4294967295\.\."):
        _inside("uid", IDMapping(0, 2**32 - 1, 1))
