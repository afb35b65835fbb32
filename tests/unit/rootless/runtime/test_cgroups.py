"""A container's cgroup, made in a folder that looks like a cgroup tree with every controller.

What the kernel does on its own, the files of a new cgroup, is there beforehand.
"""

import logging
from pathlib import Path

import pytest

from rootless.errors import Conflict, InvalidInput, Precondition
from rootless.oci.linux_spec import LinuxSpec
from rootless.oci.resources_spec import (
    BlockIOLimits,
    CpuLimits,
    DeviceRule,
    MemoryLimits,
    Resources,
)
from rootless.runtime import cgroup_tree, cgroups
from rootless.runtime.cgroup_tree import Layout, Place

CONTROLLERS = "cpu memory pids io\n"
FILES = ("memory.max", "memory.swap.max", "pids.max", "cpu.max", "cpu.weight", "io.weight")
SEVEN = Resources(pids_limit=7)


def like_a_cgroup(path: Path, files: tuple[str, ...] = ()) -> Path:
    """Make a folder with the files that a delegated cgroup has."""
    path.mkdir(parents=True, exist_ok=True)
    for name in ("cgroup.procs", "cgroup.subtree_control", "cgroup.type", *files):
        (path / name).touch()
    (path / "cgroup.controllers").write_text(CONTROLLERS)
    return path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The caller's own cgroup, delegated."""
    tree = like_a_cgroup(tmp_path / "tree")
    found = like_a_cgroup(tree / "own")
    monkeypatch.setattr(cgroup_tree, "find_place", lambda: Place(Layout.UNIFIED, tree, found))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return found


@pytest.fixture
def box(own: Path) -> Path:
    """The cgroup that a container will get."""
    return like_a_cgroup(own / "rootless-id", FILES)


def test_limits_are_written(own: Path, box: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Below the caller's own cgroup, each limit in its file, controllers handed on, no word."""
    resources = Resources(
        memory=MemoryLimits(limit=100, swap=150),
        cpu=CpuLimits(shares=1024, quota=5000, period=10_000),
        pids_limit=7,
        block_io=BlockIOLimits(weight=10),
        devices=(DeviceRule(allow=False, access="rwm"),),
    )
    cgroup = cgroups.prepare(LinuxSpec(resources=resources), "id", strict=True)
    assert cgroup is not None
    assert cgroup.path == box
    assert {name: (box / name).read_text() for name in FILES} == {
        "memory.max": "100",
        "memory.swap.max": "50",
        "pids.max": "7",
        "cpu.max": "5000 10000",
        "cpu.weight": "100",
        "io.weight": "default 1",
    }
    assert (own / "cgroup.subtree_control").read_text().startswith("+")
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("path", "made"),
    [("a/b", "own/a/b"), ("/x/y", "x/y"), ("./a//b", "own/a/b")],
)
def test_where_a_path_leads(own: Path, path: str, made: str) -> None:
    """Relative paths lie below the own cgroup, absolute ones below the mount point."""
    tree = own.parent
    folder = tree
    for part in made.split("/"):
        folder = like_a_cgroup(folder / part, ("pids.max",))
    cgroup = cgroups.prepare(LinuxSpec(cgroups_path=path, resources=SEVEN), "id")
    assert cgroup is not None
    assert cgroup.path == tree / made
    assert (cgroup.path / "pids.max").read_text() == "7"
    assert cgroups.open_cgroup(str(cgroup.path)).path == cgroup.path


@pytest.mark.parametrize("path", ["/", ".", "a/../.."])
def test_paths_that_name_no_cgroup(own: Path, path: str) -> None:
    """The caller's own cgroup, or one above it, is not the container's."""
    with pytest.raises(InvalidInput, match=r"linux\.cgroupsPath"):
        cgroups.prepare(LinuxSpec(cgroups_path=path), "id")


def test_one_that_is_in_use(box: Path) -> None:
    """Processes that are there already are somebody else's: they would be killed with it."""
    (box / "cgroup.procs").write_text("1\n")
    with pytest.raises(Conflict, match="has processes already"):
        cgroups.prepare(LinuxSpec(), "id")


def test_one_warning(box: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What has no file is named with the reason and the fix, by reason, in one line."""
    (box / "io.weight").unlink()
    (box / "memory.swap.max").unlink()
    resources = Resources(
        memory=MemoryLimits(limit=100, swap=150, swappiness=5),
        cpu=CpuLimits(cpus="0", mems="0"),
        pids_limit=7,
        block_io=BlockIOLimits(weight=10),
        devices=(DeviceRule(allow=False, type="c", major=1, minor=3),),
    )
    cgroup = cgroups.prepare(LinuxSpec(resources=resources), "id")
    assert cgroup is not None
    assert (box / "pids.max").read_text() == "7"
    (said,) = caplog.messages
    assert said == (
        "not limited: memory.swappiness: cgroup v2 has nothing like it; "
        "devices: only root can filter access to single devices (leave the device out); "
        "memory.swap: this kernel has no memory.swap.max; "
        "cpu.cpus, cpu.mems: the controller cpuset is not delegated to you "
        f"({cgroup_tree.ALL_CONTROLLERS_FIX}); "
        "blockIO.weight: this kernel has no io.bfq.weight"
    )


def test_no_swap_and_no_limit_of_it(box: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A missing file is no loss to who wants no limit."""
    (box / "memory.swap.max").unlink()
    cgroups.prepare(LinuxSpec(resources=Resources(memory=MemoryLimits(limit=-1))), "id")
    assert caplog.messages == []
    assert (box / "memory.max").read_text() == "max"


def test_strict(box: Path) -> None:
    """In strict mode the same is an error that names the doctor's check."""
    (box / "pids.max").unlink()
    with pytest.raises(Precondition, match=r"pids\.limit: this kernel has no pids\.max") as caught:
        cgroups.prepare(LinuxSpec(resources=SEVEN), "id", strict=True)
    assert caught.value.check == "cgroup"


def test_strict_wanted() -> None:
    """A bundle asks for it by an annotation."""
    assert cgroups.strict_wanted({cgroups.STRICT_ANNOTATION: "true"})
    assert not cgroups.strict_wanted({cgroups.STRICT_ANNOTATION: "false"})
    assert not cgroups.strict_wanted({})


@pytest.mark.parametrize("layout", [Layout.HYBRID, Layout.LEGACY, Layout.NONE])
def test_hosts_without(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing asked, nothing said; a limit or a path is told of, or an error if strict."""
    monkeypatch.setattr(cgroup_tree, "find_place", lambda: Place(layout))
    reason = cgroup_tree.BY_LAYOUT[layout].reason
    with caplog.at_level(logging.WARNING):
        assert cgroups.prepare(LinuxSpec(), "id", strict=True) is None
        assert caplog.messages == []
        spec = LinuxSpec(resources=SEVEN, cgroups_path="/a")
        assert cgroups.prepare(spec, "id") is None
        (said,) = caplog.messages
    assert said.startswith(f"not limited: pids.limit, cgroupsPath: {reason} (")
    with pytest.raises(Precondition, match=reason):
        cgroups.prepare(spec, "id", strict=True)


def test_others_in_the_way(own: Path, box: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Other processes of the own cgroup are not moved: the limits are not to be had."""
    (own / "cgroup.procs").write_text("1\n2\n")
    assert cgroups.prepare(LinuxSpec(resources=SEVEN), "id") is None
    (said,) = caplog.messages
    assert "pids.limit: other processes share the cgroup" in said
    assert "systemd-run --user --scope -p Delegate=yes" in said
    assert (box / "pids.max").read_text() == ""


def test_alone(own: Path, box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process, alone in its cgroup, makes room by moving into a leaf."""
    monkeypatch.setattr("os.getpid", lambda: 42)
    (own / "cgroup.procs").write_text("42\n")
    assert cgroups.prepare(LinuxSpec(resources=SEVEN), "id", strict=True) is not None
    assert (own / "rootless/cgroup.procs").read_text() == "0"


def test_a_limit_that_the_kernel_refuses(box: Path) -> None:
    """A number that is nonsense to the kernel is the document's fault, whatever the mode."""
    (box / "pids.max").unlink()
    (box / "pids.max").symlink_to("/proc/self/oom_score_adj")  # 7000 is more than it takes
    with pytest.raises(
        InvalidInput, match=r"cannot set linux\.resources\.pids\.limit: Invalid arg"
    ):
        cgroups.prepare(LinuxSpec(resources=Resources(pids_limit=7000)), "id")


def test_systemd_without_a_bus(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    """--systemd-cgroup where the user's systemd cannot be reached is told of."""
    spec = LinuxSpec(resources=SEVEN, cgroups_path="a.slice:b:c")
    assert cgroups.prepare(spec, "id", systemd=True) is None
    (said,) = caplog.messages
    assert said.startswith(
        "not limited: pids.limit, cgroupsPath: the user's systemd cannot be reach"
    )
    with pytest.raises(InvalidInput, match="slice:prefix:name"):
        cgroups.prepare(LinuxSpec(cgroups_path="/a"), "id", systemd=True)
