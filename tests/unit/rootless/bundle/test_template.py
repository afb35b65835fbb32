"""The config.json of the OCI runtime's `spec`, beside another runtime's."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rootless.bundle.template import template, write_template
from rootless.errors import Conflict, StoreError
from rootless.oci.linux_spec import IDMapping
from rootless.oci.runtime_spec import format_spec, parse_spec


@pytest.mark.parametrize("rootless", [True, False])
def test_reads_back(*, rootless: bool) -> None:
    """It is a spec that is understood here."""
    spec = template(rootless=rootless)
    assert parse_spec(format_spec(spec).encode()) == spec


def test_for_an_ordinary_user() -> None:
    """The caller alone is mapped, the network is the host's, no other ID is named."""
    spec = template(rootless=True)
    kinds = {namespace.type for namespace in spec.linux.namespaces}
    assert kinds == {"pid", "ipc", "uts", "mount", "cgroup", "user"}
    assert spec.linux.uid_mappings == (IDMapping(0, os.geteuid(), 1),)
    assert spec.linux.gid_mappings == (IDMapping(0, os.getegid(), 1),)
    assert not any(option.startswith("gid=") for m in spec.mounts for option in m.options)
    whole = template(rootless=False)
    assert {namespace.type for namespace in whole.linux.namespaces} == {
        *("pid", "network", "ipc", "uts", "mount", "cgroup")
    }
    assert whole.linux.uid_mappings == ()


def test_as_another_runtime_has_it(tmp_path: Path) -> None:
    """What crun writes says the same of the process, the root and the places of mounts."""
    subprocess.run(["crun", "spec"], cwd=tmp_path, check=True)
    theirs: dict[str, Any] = json.loads((tmp_path / "config.json").read_text())
    ours = json.loads(format_spec(template(rootless=False)))
    for name in ("args", "env", "cwd", "terminal", "user", "rlimits", "noNewPrivileges"):
        assert ours["process"][name] == theirs["process"][name]
    assert ours["root"] == theirs["root"]
    for name in ("bounding", "effective", "permitted"):
        found = ours["process"]["capabilities"][name]
        assert sorted(found) == sorted(theirs["process"]["capabilities"][name])
    places = [[mount["destination"] for mount in spec["mounts"]] for spec in (ours, theirs)]
    assert places[0] == places[1]
    theirs_hidden = set(theirs["linux"]["maskedPaths"]) - {"/proc/asound"}  # ours: read-only
    assert theirs_hidden <= set(ours["linux"]["maskedPaths"])


def test_written_once(tmp_path: Path) -> None:
    """A folder that has a config.json keeps it."""
    write_template(tmp_path, rootless=True)
    assert parse_spec((tmp_path / "config.json").read_bytes()) == template(rootless=True)
    with pytest.raises(Conflict, match=r"a config\.json already"):
        write_template(tmp_path, rootless=False)
    with pytest.raises(StoreError, match="cannot write"):
        write_template(tmp_path / "none", rootless=False)
