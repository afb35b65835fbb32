"""Where a process stands, out of the texts of /proc, and what is delegated there."""

from pathlib import Path

import pytest

from rootless.runtime import cgroup_tree
from rootless.runtime.cgroup_tree import Layout, Place, parse_place

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
UNIFIED = "40 23 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
V1 = "31 23 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"


@pytest.mark.parametrize(
    ("cgroup", "mountinfo", "place"),
    [
        ("0::/\n", V2, Place(Layout.UNIFIED, Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup"))),
        (
            "0::/user.slice/a.scope\n",
            V2,
            Place(
                Layout.UNIFIED, Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/user.slice/a.scope")
            ),
        ),
        (
            "1:name=systemd:/x\n0::/x\n",
            V2,
            Place(Layout.UNIFIED, Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/x")),
        ),
        (
            "4:memory:/x\n0::/y\n",
            V1 + UNIFIED,
            Place(Layout.HYBRID, Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/unified/y")),
        ),
        ("2:cpu,cpuacct:/\n1:pids:/\n", V1, Place(Layout.LEGACY)),
        ("0::/\n", "", Place(Layout.NONE)),
        ("", "", Place(Layout.NONE)),
        # a container that shares the host's cgroup namespace sees its own part mounted
        (
            "0::/box/in\n",
            V2.replace(" / ", " /box ", 1),
            Place(Layout.UNIFIED, Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/in")),
        ),
        # a process outside of its cgroup namespace's root
        ("0::/../other\n", V2, Place(Layout.UNIFIED, Path("/sys/fs/cgroup"))),
        (
            "0::/boxes\n",
            V2.replace(" / ", " /box ", 1),
            Place(Layout.UNIFIED, Path("/sys/fs/cgroup")),
        ),
        (
            "0::/a\n",
            "30 23 0:26 / /mnt/my\\040cgroup rw - cgroup2 none rw\n",
            Place(Layout.UNIFIED, Path("/mnt/my cgroup"), Path("/mnt/my cgroup/a")),
        ),
    ],
)
def test_place(cgroup: str, mountinfo: str, place: Place) -> None:
    """The own cgroup is found below the mount that shows it."""
    assert parse_place(cgroup, mountinfo) == place


def test_the_usual_mount_is_preferred() -> None:
    """Of several mounts the one where everybody looks is taken."""
    other = V2.replace("/sys/fs/cgroup", "/mnt")
    assert parse_place("0::/\n", other + V2).mount_point == Path("/sys/fs/cgroup")


def test_this_process() -> None:
    """Whatever this host has, the place is consistent with it."""
    place = cgroup_tree.find_place()
    if place.own is not None:
        assert (place.own / "cgroup.procs").exists()
        assert place.mount_point in (place.own, *place.own.parents)
    refusal = cgroup_tree.refusal(place)
    assert refusal is None or (refusal.reason and refusal.fix)


def plain(folder: Path) -> Path:
    """Make a folder that looks like a delegated cgroup."""
    folder.mkdir(exist_ok=True)
    for name in ("cgroup.procs", "cgroup.subtree_control", "cgroup.controllers"):
        (folder / name).touch()
    return folder


def test_delegated(tmp_path: Path) -> None:
    """A cgroup whose files the user may write is delegated, on any layout."""
    own = plain(tmp_path / "own")
    for layout in (Layout.UNIFIED, Layout.HYBRID):
        assert cgroup_tree.refusal(Place(layout, tmp_path, own)) is None


@pytest.mark.parametrize(
    ("place", "reason", "fix"),
    [
        (Place(Layout.NONE), "no cgroup file system", "mount one"),
        (Place(Layout.LEGACY), "cgroup v1", "unified_cgroup_hierarchy"),
        (Place(Layout.HYBRID, Path("/x"), Path("/x")), "cgroup v1", "unified_cgroup_hierarchy"),
        (Place(Layout.UNIFIED, Path("/x")), "outside of what is mounted", "cgroup namespace"),
        (Place(Layout.UNIFIED, Path("/proc"), Path("/proc")), "is not delegated", "Delegate=yes"),
    ],
)
def test_refused(place: Place, reason: str, fix: str) -> None:
    """Each cause is told with what helps."""
    refusal = cgroup_tree.refusal(place)
    assert refusal is not None
    assert reason in refusal.reason
    assert fix in refusal.fix


def test_words_and_processes(tmp_path: Path) -> None:
    """Files are read as words; one that is not there has none."""
    (tmp_path / "cgroup.procs").write_text("12\n7\n")
    assert cgroup_tree.pids_of(tmp_path) == {7, 12}
    assert cgroup_tree.read_words(tmp_path / "cgroup.controllers") == frozenset()
