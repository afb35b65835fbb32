"""What the specification's own JSON Schema refuses, is refused here too, and its place is named.

The schema is Debian's golang-github-opencontainers-specs-dev. Three things differ on purpose: null
is as good as absent, as for the runtimes in Go; what other platforms have is not looked at; and a
document without a process is refused, since no container could be started of it.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from rootless.bundle.template import template
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import format_spec, parse_spec

SCHEMA = Path("/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema")
# As far as the schema of Debian's version knows them; it lacks what came with 1.1 and 1.2.
FULL: dict[str, Any] = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": True,
        "consoleSize": {"height": 24, "width": 80},
        "user": {"uid": 1, "gid": 1, "umask": 18, "additionalGids": [5, 6]},
        "args": ["sh", "-c", "true"],
        "env": ["PATH=/bin", "A="],
        "cwd": "/tmp",
        "capabilities": {
            name: ["CAP_KILL"]
            for name in ("bounding", "permitted", "effective", "inheritable", "ambient")
        },
        "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 1}],
        "apparmorProfile": "p",
        "selinuxLabel": "l",
        "oomScoreAdj": 100,
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": True},
    "hostname": "h",
    "domainname": "d",
    "mounts": [
        {
            "destination": "/data",
            "type": "none",
            "source": "/s",
            "options": ["rbind", "idmap"],
            "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
            "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
        }
    ],
    "hooks": {
        name: [{"path": "/bin/true", "args": ["true"], "env": ["A=1"], "timeout": 1}]
        for name in (
            *("prestart", "createRuntime", "createContainer", "startContainer"),
            *("poststart", "poststop"),
        )
    },
    "annotations": {"a": "b"},
    "linux": {
        "devices": [
            {
                "path": "/dev/fuse",
                "type": "c",
                "major": 10,
                "minor": 229,
                "fileMode": 438,
                "uid": 0,
                "gid": 0,
            }
        ],
        "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
        "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
        "sysctl": {"net.ipv4.ip_forward": "1"},
        "namespaces": [{"type": "pid"}, {"type": "network", "path": "/proc/1/ns/net"}],
        "rootfsPropagation": "slave",
        "maskedPaths": ["/proc/kcore"],
        "readonlyPaths": ["/proc/sys"],
        "mountLabel": "l",
        "personality": {"domain": "LINUX32", "flags": []},
        "intelRdt": {"closID": "", "enableCMT": False},
    },
}


@pytest.fixture(scope="module")
def schema() -> Any:
    """The validator of config-schema.json, with its references to the files beside it."""
    registry: Registry[Any] = Registry()
    for path in SCHEMA.glob("*.json"):
        resource = Resource(json.loads(path.read_text()), DRAFT4)
        registry = registry.with_resource(path.name, resource)
    document = json.loads((SCHEMA / "config-schema.json").read_text())
    return jsonschema.Draft4Validator({**document, "id": ""}, registry=registry)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each value within a document, but its own."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in items:
        yield (*path, key)
        if isinstance(below, dict | list):
            yield from places(below, (*path, key))


PLACES = sorted(places(FULL), key=str)
OTHER_VALUES = (
    *("", "x", "\0", "RLIMIT_core", 0, 1, -1, 0.5, 513, 2**32, 2**63, 2**64, -(2**63) - 1),
    *(True, [], {}, [0], ["x"], [{}], {"a": 1}, {"a": "b"}),
)


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return the full document with another value in one place; a missing one for `...`."""
    document = copy.deepcopy(FULL)
    inner: Any = document
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = copy.deepcopy(value)  # a later change must not be made in it
    return document


def refused_here(document: dict[str, Any]) -> str:
    """Return the error that the document gets; "" for none."""
    try:
        parse_spec(json.dumps(document).encode())
    except InvalidInput as error:
        return str(error)
    return ""


def test_the_full_document_is_valid(schema: Any) -> None:
    """The schema has nothing against it, and neither have we; what we write is valid too."""
    assert list(schema.iter_errors(FULL)) == []
    spec = parse_spec(json.dumps(FULL).encode())
    assert list(schema.iter_errors(json.loads(format_spec(spec)))) == []
    for rootless in (True, False):
        written = json.loads(format_spec(template(rootless=rootless)))
        assert list(schema.iter_errors(written)) == []


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_each_place_with_another_value(schema: Any, path: tuple[str | int, ...]) -> None:
    """Whatever the schema refuses in a place is refused here, in one line that names the place."""
    refused = 0
    for value in (..., *OTHER_VALUES):
        document = changed(path, value)
        if schema.is_valid(document):
            continue
        refused += 1
        said = refused_here(document)
        assert said, f"{path}: {value!r} is refused by the schema only"
        assert "\n" not in said
        assert _shown(path) in said, said
    assert refused or path[:2] == ("process", "commandLine")


def _shown(path: tuple[str | int, ...]) -> str:
    """Return how an error shows a place, as far as the object that the fault lies in."""
    text = str(path[0])
    for key in path[1:2]:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text


@settings(
    database=None,
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_several_places_at_once(schema: Any, data: st.DataObject) -> None:
    """Nor does a document pass here because something else in it is wrong as well."""
    document = copy.deepcopy(FULL)
    for _ in range(data.draw(st.integers(1, 3))):
        found = sorted(places(document), key=str)
        path = data.draw(st.sampled_from(found))
        inner: Any = document
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(OTHER_VALUES)))
    if not schema.is_valid(document):
        assert refused_here(document)
