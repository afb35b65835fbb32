"""Members of a bundle's `linux` object, seen in force (runtime-spec config-linux.md)."""

import json
import os
import time
from dataclasses import replace
from typing import Any

import pytest
from demo_bundle import DemoBundle

from rootless.bundle.template import template
from rootless.oci.runtime_spec import format_spec

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
def test_personality(demo_bundle: DemoBundle) -> None:
    """linux.personality: a 32-bit process sees a 32-bit machine."""
    assert demo_bundle.ok("uname -m; cat /proc/self/personality").split()[1] == "00000000"
    demo_bundle.linux(personality={"domain": "LINUX32"})
    assert demo_bundle.ok("cat /proc/self/personality").split() == ["00000008"]


@pytest.mark.both_users
def test_time_offsets(demo_bundle: DemoBundle) -> None:
    """linux.timeOffsets: the first process already lives by the clocks of the namespace."""
    offsets = {"monotonic": {"secs": 864000}, "boottime": {"secs": 1728000, "nanosecs": 1}}
    demo_bundle.linux(timeOffsets=offsets)
    assert "linux.timeOffsets needs a time namespace" in demo_bundle().stderr
    demo_bundle.change(lambda spec: spec["linux"]["namespaces"].append({"type": "time"}))
    out = demo_bundle.ok("cat /proc/uptime; cat /proc/self/timens_offsets")
    up, *_ = out.split()
    ahead = float(up) - time.clock_gettime(time.CLOCK_BOOTTIME)
    assert ahead == pytest.approx(1728000, abs=60)
    rows = [line.split() for line in out.splitlines()[1:]]
    assert rows == [["monotonic", "864000", "0"], ["boottime", "1728000", "1"]]


def test_clocks_below_zero(demo_bundle: DemoBundle) -> None:
    """A clock that would be negative is refused, and the member named."""
    demo_bundle.linux(
        timeOffsets={"monotonic": {"secs": -(10**9)}},
        namespaces=[{"type": "user"}, {"type": "mount"}, {"type": "time"}],
    )
    assert "linux.timeOffsets.monotonic (no clock can be set below" in demo_bundle().stderr


FUSE = {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}


@pytest.mark.both_users
def test_devices(demo_bundle: DemoBundle) -> None:
    """linux.devices: the host's node is there, under another name too; a FIFO is made."""
    demo_bundle.linux(
        devices=[
            FUSE,
            {**FUSE, "path": "/dev/below/other"},
            {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666},
            {"path": "/run/fifo", "type": "p", "fileMode": 0o640},
        ]
    )
    out = demo_bundle.ok("stat -c '%F %t:%T %a' /dev/fuse /dev/below/other /dev/null /run/fifo")
    assert out.splitlines() == [
        *["character special file a:e5 666"] * 2,
        "character special file 1:3 666",
        "fifo 0:0 640",
    ]


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ({**FUSE, "minor": 230}, "linux.devices: /dev/fuse (c 10:230)"),
        ({**FUSE, "type": "b"}, "linux.devices: /dev/fuse (b 10:229)"),
    ],
)
def test_devices_that_are_not_there(
    demo_bundle: DemoBundle, device: dict[str, Any], says: str
) -> None:
    """A device that the host has not got cannot be made, and is named."""
    demo_bundle.linux(devices=[device])
    result = demo_bundle()
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert says in result.stderr


@pytest.mark.both_users
@pytest.mark.parametrize(
    ("propagation", "tag"),
    [("shared", "shared:"), ("rshared", "shared:"), ("unbindable", "unbindable"), ("private", "-")],
)
def test_rootfs_propagation(demo_bundle: DemoBundle, propagation: str, tag: str) -> None:
    """linux.rootfsPropagation is that of the root mount (mount_namespaces(7))."""
    demo_bundle.linux(rootfsPropagation=propagation)
    (line,) = demo_bundle.ok("grep ' / / ' /proc/self/mountinfo").splitlines()
    assert line.split()[6].startswith(tag)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"intelRdt": {"closID": "c"}}, "linux.intelRdt.closID cannot be had: only root"),
        ({"personality": {"domain": "LINUX", "flags": ["x"]}}, "linux.personality.flags[0] is no"),
        ({"rootfsPropagation": "x"}, "linux.rootfsPropagation is 'x', not one of private"),
    ],
)
def test_what_is_refused(demo_bundle: DemoBundle, members: dict[str, Any], says: str) -> None:
    """What nobody can have here is one line that names the member and the reason."""
    demo_bundle.linux(**members)
    result = demo_bundle("echo ran")
    assert (result.status, result.stdout, result.stderr.count("\n")) == (125, "", 1)
    assert says in result.stderr


def test_label_of_mounts(demo_bundle: DemoBundle) -> None:
    """linux.mountLabel means nothing where SELinux is off: the container runs, with a warning."""
    demo_bundle.linux(mountLabel="system_u:object_r:container_file_t:s0")
    result = demo_bundle("echo ran")
    assert (result.status, result.stdout) == (0, "ran\n")
    assert "linux.mountLabel has no effect: SELinux is off on this host" in result.stderr


@pytest.mark.both_users
def test_the_template_runs(demo_bundle: DemoBundle) -> None:
    """What `spec --rootless` writes is a container for whoever called it: read-only, one ID."""
    spec = template(rootless=True)
    annotations = json.loads((demo_bundle.folder / "config.json").read_text())["annotations"]
    process = replace(spec.process, terminal=False)
    spec = replace(spec, process=process, annotations=annotations)
    (demo_bundle.folder / "config.json").write_text(format_spec(spec))
    out = demo_bundle.ok("id -u; ulimit -n; cat /proc/self/uid_map; touch /new 2>&1; true")
    assert out.split()[:5] == ["0", "1024", "0", str(os.getuid()), "1"]
    assert "Read-only file system" in out
