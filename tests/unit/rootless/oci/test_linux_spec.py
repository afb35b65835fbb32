"""The `linux` object of a config.json."""

from typing import Any

import pytest

from rootless.errors import InvalidInput
from rootless.oci.document import Node
from rootless.oci.linux_spec import IDMapping, LinuxSpec, Namespace, parse_linux_spec
from rootless.oci.resources_spec import Resources
from rootless.oci.seccomp_spec import SeccompSpec

FULL = LinuxSpec(
    namespaces=(Namespace("pid"), Namespace("network", "/proc/1/ns/net")),
    uid_mappings=(IDMapping(0, 1000, 1), IDMapping(1, 100000, 65536)),
    gid_mappings=(IDMapping(0, 100, 1),),
    masked_paths=("/proc/kcore",),
    readonly_paths=("/proc/sys",),
    sysctl={"net.ipv4.ip_forward": "1"},
    seccomp=SeccompSpec("SCMP_ACT_ALLOW", flags=("SECCOMP_FILTER_FLAG_LOG",)),
    resources=Resources(pids_limit=7),
    cgroups_path="/below/it",
)


@pytest.mark.parametrize("spec", [FULL, LinuxSpec(), LinuxSpec(gid_mappings=FULL.gid_mappings)])
def test_written_and_read(spec: LinuxSpec) -> None:
    """What is written reads back as the same."""
    assert parse_linux_spec(Node(spec.to_document(), "spec", "linux")) == spec


def test_namespace_by_type() -> None:
    """A namespace is found by its type; one that is not there is the host's."""
    assert FULL.namespace("network") == Namespace("network", "/proc/1/ns/net")
    assert FULL.namespace("ipc") is None


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "linux is not an object"),
        ({"namespaces": [{}]}, r"linux.namespaces\[0\].type is missing"),
        ({"namespaces": [{"type": "x"}]}, r"namespaces\[0\].type is 'x', not one of pid, network"),
        ({"namespaces": [{"type": "pid", "path": "x"}]}, r"\[0\].path must be an absolute path"),
        ({"namespaces": [{"type": "pid"}] * 2}, r"namespaces\[1\].type comes twice"),
        ({"uidMappings": [{"containerID": 0, "hostID": 0}]}, r"uidMappings\[0\].size is missing"),
        ({"gidMappings": [{"containerID": -1, "hostID": 0, "size": 1}]}, "is not an ID"),
        ({"uidMappings": [{"containerID": 0, "hostID": 0, "size": 0}]}, "not a number of IDs"),
        ({"uidMappings": [{"containerID": 9, "hostID": 0, "size": 2**32 - 1}]}, "number of IDs"),
        ({"maskedPaths": ["/a", "b"]}, r"maskedPaths\[1\] is not an absolute path"),
        ({"readonlyPaths": "/a"}, "readonlyPaths is not an array"),
        ({"seccomp": {"defaultAction": "x"}}, "linux.seccomp.defaultAction is not known: 'x'"),
        ({"sysctl": {"a": 1}}, "sysctl.a is not a string"),
        ({"resources": {"pids": 1}}, "linux.resources.pids is not an object"),
        ({"cgroupsPath": "/a/../../b"}, "linux.cgroupsPath must not lead upwards"),
    ],
)
def test_faults(document: Any, fault: str) -> None:
    """Each fault is named with its place."""
    with pytest.raises(InvalidInput, match=fault):
        parse_linux_spec(Node(document, "spec", "linux"))
