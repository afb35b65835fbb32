"""Limits asked for on whatever host this is: carried out, or told of in one line."""

import json
import os
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

FIXES = ("systemd.unified_cgroup_hierarchy=1", "Delegate=yes", "writable /sys/fs/cgroup")


def limit_inside(out: str) -> str:
    """Return what a container saw as its limit of processes."""
    return out.strip() or "none"


@pytest.mark.both_users
def test_a_limit_is_set_or_told_of(demo: Rootless) -> None:
    """The container runs; it has its limit, or one line names it, the reason and the fix."""
    show = "cat /sys/fs/cgroup/pids.max 2>/dev/null; exit 3"
    result = demo("run", "--pids-limit", "50", "debian-demo", "sh", "-c", show)
    assert result.status == 3
    if limit_inside(result.stdout) == "50":
        assert result.stderr == ""
    else:
        assert result.stderr.startswith("not limited: pids.limit: ")
        assert result.stderr.count("\n") == 1
        assert any(fix in result.stderr for fix in FIXES)


@pytest.mark.both_users
def test_strict(demo: Rootless) -> None:
    """--strict-resources: the limit, or nothing is run and the same reason is the error."""
    show = ("debian-demo", "cat", "/sys/fs/cgroup/pids.max")
    result = demo("run", "--pids-limit", "50", "--strict-resources", *show)
    if result.status == 0:
        assert result.stdout == "50\n"
    else:
        assert result.status == 125
        assert result.stdout == ""
        assert result.stderr.startswith(
            "rootless: resources cannot be limited as asked: pids.limit"
        )
        assert any(fix in result.stderr for fix in FIXES)


def test_nothing_asked_nothing_said(demo: Rootless) -> None:
    """Without limits there is no word about them; with --cgroups=disabled neither."""
    for options in ((), ("--cgroups=disabled",), ("--cgroups=no-conmon",)):
        result = demo("run", *options, "debian-demo", "true")
        assert (result.status, result.stderr) == (0, "")


def test_of_a_bundle(demo: Rootless, tmp_path: Path) -> None:
    """linux.resources of a bundle are treated alike, and its annotation makes them strict."""
    demo.ok("bundle", "create", "debian-demo", tmp_path / "bundle")
    config = tmp_path / "bundle/config.json"
    spec = json.loads(config.read_text())
    spec["process"]["args"] = ["cat", "/sys/fs/cgroup/pids.max"]
    spec["process"]["terminal"] = False
    spec["linux"]["resources"] = {"pids": {"limit": 50}}
    config.write_text(json.dumps(spec))
    said = demo("run", "--bundle", tmp_path / "bundle")
    assert said.stdout == "50\n" or said.stderr.startswith("not limited: pids.limit: ")
    spec["annotations"] = {**spec["annotations"], "org.rootless.strict-resources": "true"}
    config.write_text(json.dumps(spec))
    strict = demo("run", "--bundle", tmp_path / "bundle")
    assert strict.stdout == "50\n" or "cannot be limited as asked: pids.limit" in strict.stderr


@pytest.mark.both_users
def test_in_the_background(demo_alone: Rootless) -> None:
    """`run -d` says the same, and goes on the same."""
    name = f"limited-{os.urandom(4).hex()}"
    result = demo_alone(
        *("run", "-d", "--name", name, "--pids-limit", "50"), "debian-demo", "sleep", "100"
    )
    try:
        assert result.status == 0
        inside = demo_alone("exec", name, "cat", "/sys/fs/cgroup/pids.max").stdout
        if inside != "50\n":
            assert result.stderr.startswith("not limited: pids.limit: ")
            assert result.stderr.count("\n") == 1
    finally:
        demo_alone.ok("rm", "-f", name)
