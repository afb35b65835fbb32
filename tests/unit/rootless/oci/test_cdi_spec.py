"""CDI specification files."""

import json
from typing import Any

import pytest

from rootless.errors import InvalidInput
from rootless.oci.cdi_spec import DeviceNode, is_qualified, parse_cdi, split

YAML = b"""
cdiVersion: 0.5.0
kind: vendor.com/gpu
containerEdits:
  env: [VENDOR=1]
  mounts:
  - {hostPath: /usr/lib/libx.so.1.2, containerPath: /usr/lib/libx.so.1.2, options: [ro, bind]}
  hooks:
  - {hookName: createContainer, path: /usr/bin/tool, args: [tool, hook, update-ldcache]}
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/gpu0
    - {path: /dev/gpu-ctl, hostPath: /run/dev/gpu-ctl, type: c, major: 1, minor: 3}
- name: all
  containerEdits: {env: [ALL=1]}
"""


def document(**changes: Any) -> bytes:
    """Return a JSON file."""
    whole = {"cdiVersion": "0.6.0", "kind": "vendor.com/net", "devices": [{"name": "a"}], **changes}
    return json.dumps(whole).encode()


def test_yaml() -> None:
    """NVIDIA's tool writes YAML: nodes, mounts, variables, hooks."""
    spec = parse_cdi(YAML, "/etc/cdi/vendor.yaml")
    assert spec.kind == "vendor.com/gpu"
    assert spec.edits.env == ("VENDOR=1",)
    assert spec.edits.mounts[0].options == ("ro", "bind")
    assert spec.edits.hooks[0][1].args == ("tool", "hook", "update-ldcache")
    assert list(spec.devices) == ["0", "all"]
    nodes = (DeviceNode("/dev/gpu0", "/dev/gpu0"), DeviceNode("/dev/gpu-ctl", "/run/dev/gpu-ctl"))
    assert spec.devices["0"].nodes == nodes


def test_json() -> None:
    """The same in JSON; a mount is a bind without saying so."""
    edits = {"mounts": [{"hostPath": "/a", "containerPath": "/b"}]}
    spec = parse_cdi(document(containerEdits=edits), "/etc/cdi/vendor.json")
    assert spec.edits.mounts[0].options == ("rbind",)
    assert list(spec.devices) == ["a"]


@pytest.mark.parametrize(
    ("data", "path", "says"),
    [
        (document(cdiVersion="2.0.0"), "x.json", "cdiVersion is not a version"),
        (document(kind="vendor"), "x.json", "kind must have the form"),
        (document(devices=[{"name": "a"}, {"name": "a"}]), "x.json", "devices[1].name is no name"),
        (document(devices=[{"name": "../a"}]), "x.json", "devices[0].name is no name"),
        (
            document(containerEdits={"deviceNodes": [{"path": "dev"}]}),
            "x.json",
            "containerEdits.deviceNodes[0].path is not an absolute path",
        ),
        (b"{", "x.json", "x.json"),
        (b"a: [", "x.yaml", "is not YAML: x.yaml"),
        (b"!!python/object/apply:os.system [true]", "x.yaml", "is not YAML"),
        (b"[]", "x.yml", "document is not an object"),
        (b"a" * ((4 << 20) + 1), "x.yml", "too large"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, path: str, says: str) -> None:
    """With its place."""
    with pytest.raises(InvalidInput) as caught:
        parse_cdi(data, path)
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["nvidia.com/gpu=0", "nvidia.com/gpu=GPU-1a:2", "a.b/c=all"])
def test_a_qualified_name(text: str) -> None:
    """Kind and name."""
    assert is_qualified(text)
    assert "=".join(split(text)) == text


@pytest.mark.parametrize(
    "text", ["/dev/null", "/dev/a=b", "nvidia.com=0", "a/b=", "a/b/c=d", "a b/c=d"]
)
def test_no_qualified_name(text: str) -> None:
    """A node, or nothing."""
    assert not is_qualified(text)
