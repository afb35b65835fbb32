"""Which namespaces are made and joined: what can be told without privilege.

tests/run/test_joined_namespaces.py joins real ones.
"""

import os
from dataclasses import replace

import pytest

from rootless.errors import InvalidInput, NotFound, OverlayError, RootlessError
from rootless.oci.linux_objects import TimeOffset
from rootless.oci.linux_spec import LinuxSpec, Namespace
from rootless.oci.runtime_spec import Process, Spec
from rootless.runtime import namespaces

SPEC = Spec(Process(("true",)))


def with_namespaces(*wanted: Namespace) -> Spec:
    """Return a spec with these namespaces."""
    return replace(SPEC, linux=LinuxSpec(wanted))


def test_who_joins_mounts() -> None:
    """Only a mount namespace that is named by its path belongs to others."""
    assert namespaces.joins_mounts(with_namespaces(Namespace("mount", "/x")).linux)
    assert not namespaces.joins_mounts(with_namespaces(Namespace("mount")).linux)
    assert not namespaces.joins_mounts(with_namespaces(Namespace("pid", "/x")).linux)


def test_offsets_need_a_namespace() -> None:
    """Clocks of the host's time namespace stay as they are."""
    offsets = {"boottime": TimeOffset(1)}
    with pytest.raises(InvalidInput, match=r"linux\.timeOffsets needs a time namespace"):
        namespaces.check(LinuxSpec(time_offsets=offsets))
    namespaces.check(LinuxSpec((Namespace("time"),), time_offsets=offsets))


def test_user_path() -> None:
    """Only a user namespace that is named by its path is joined."""
    assert namespaces.user_path(SPEC) == ""
    assert namespaces.user_path(with_namespaces(Namespace("user"))) == ""
    assert namespaces.user_path(with_namespaces(Namespace("user", "/x"))) == "/x"


def test_own_namespaces_are_joined_already() -> None:
    """To join the namespace that one is in needs no right; nothing of it is left to be done."""
    own = [
        Namespace(kind, f"/proc/self/ns/{file}")
        for kind, file in (("ipc", "ipc"), ("network", "net"), ("uts", "uts"), ("cgroup", "cgroup"))
    ]
    spec = with_namespaces(Namespace("pid"), *own)
    assert namespaces.join_outer(spec) == with_namespaces(Namespace("pid"))


@pytest.mark.needs_user
def test_what_cannot_be_joined_yet_is_left() -> None:
    """Before the user namespace is made, a right that comes with it is no error."""
    pid = os.getppid()
    others = with_namespaces(Namespace("pid", f"/proc/{pid}/ns/pid"))
    before = os.readlink("/proc/self/ns/pid_for_children")
    assert namespaces.join_outer(others) == others
    assert os.readlink("/proc/self/ns/pid_for_children") == before


@pytest.mark.parametrize(
    ("namespace", "kind", "says"),
    [
        (Namespace("user", "/none"), NotFound, "no such namespace: linux.namespaces: user /none"),
        (Namespace("user", "/etc/passwd"), InvalidInput, "not a namespace"),
        (Namespace("user", "/etc/shadow"), OverlayError, "cannot open the namespace: Permission"),
        (Namespace("user", "/proc/self/ns/net"), InvalidInput, "of another type: network"),
    ],
)
@pytest.mark.needs_user
def test_wrong_paths(namespace: Namespace, kind: type[RootlessError], says: str) -> None:
    """What a path leads to is checked before it is joined."""
    spec = with_namespaces(namespace)
    with pytest.raises(kind, match=says):
        namespaces.join_outer(spec)
