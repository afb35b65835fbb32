"""What a container has of its own, and what of the host it does not see."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

# podman's default set; capabilities(7)
_DEFAULT = (0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31)
_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def sets(status: str) -> dict[str, int]:
    """Return the capability sets out of a /proc/PID/status."""
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return {name: int(lines[name], 16) for name in _SETS}


@pytest.mark.both_users
def test_namespaces_are_its_own(demo: Rootless) -> None:
    """User, mount, PID, IPC, UTS and cgroup namespaces are the container's, the network's not."""
    kinds = ("user", "mnt", "pid", "ipc", "uts", "cgroup", "net")
    script = "for k in " + " ".join(kinds) + "; do readlink /proc/self/ns/$k; done"
    inside = demo.ok("run", "debian-demo", "sh", "-c", script).split()
    outside = [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds]
    shared = [kind for kind, a, b in zip(kinds, inside, outside, strict=True) if a == b]
    assert shared == ["net"]
    inside = demo.ok("run", "--network", "none", "debian-demo", "sh", "-c", script).split()
    assert not set(inside) & set(outside)


def test_processes_of_the_host_are_not_there(
    demo: Rootless, id_map_options: tuple[str, ...]
) -> None:
    """/proc shows the container's init and the command's own processes, none else."""
    script = "echo /proc/[0-9]*; cat /proc/1/comm"
    out = demo.ok("run", *id_map_options, "debian-demo", "sh", "-c", script).split()
    assert "/proc/1" in out
    assert len(out) <= 4
    assert out[-1] == "rootless-init"


def test_capabilities_of_root(demo: Rootless, id_map_options: tuple[str, ...]) -> None:
    """Root has podman's default set, no more in any of the sets, and no_new_privs."""
    status = demo.ok("run", *id_map_options, "debian-demo", "cat", "/proc/self/status")
    default = sum(1 << number for number in _DEFAULT)
    assert sets(status) == {
        "CapInh": 0,
        "CapPrm": default,
        "CapEff": default,
        "CapBnd": default,
        "CapAmb": 0,
    }
    assert "NoNewPrivs:\t1\n" in status


@pytest.mark.both_users
def test_capabilities_of_another_user(demo: Rootless) -> None:
    """Another user has none; what --cap-add names is his, and survives execve(2)."""
    command = ("debian-demo", "cat", "/proc/self/status")
    held = sets(demo.ok("run", "--user", "7", *command))
    assert held["CapBnd"] == sum(1 << number for number in _DEFAULT)
    assert held["CapPrm"] == held["CapEff"] == held["CapAmb"] == 0
    held = sets(demo.ok("run", "--user", "7", "--cap-add", "net_bind_service", *command))
    assert held["CapEff"] == held["CapPrm"] == held["CapAmb"] == held["CapInh"] == 1 << 10


def test_capabilities_that_were_asked_for(demo: Rootless) -> None:
    """--cap-drop and --cap-add change the sets; names with CAP_ or without, in any case."""
    command = ("debian-demo", "cat", "/proc/self/status")
    assert sets(demo.ok("run", "--cap-drop", "ALL", *command))["CapBnd"] == 0
    only = ("--cap-drop", "all", "--cap-add", "CAP_CHOWN")
    assert sets(demo.ok("run", *only, *command))["CapEff"] == 1
    more = sets(demo.ok("run", "--cap-add", "sys_ptrace", "--cap-drop", "chown", *command))
    assert more["CapEff"] == sum(1 << number for number in (*_DEFAULT, 19)) - 1


def test_privileges_can_be_new(demo: Rootless) -> None:
    """--security-opt no-new-privileges=false leaves set-ID programs their effect."""
    options = ("--security-opt", "no-new-privileges=false", "--security-opt", "label=disable")
    out = demo.ok("run", *options, "debian-demo", "grep", "NoNewPrivs", "/proc/self/status")
    assert out.split() == ["NoNewPrivs:", "0"]


def test_hidden_and_read_only_paths(demo: Rootless, id_map_options: tuple[str, ...]) -> None:
    """What of /proc and /sys tells about the host is empty; what would change it is read-only."""
    script = """
for path in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /sys/firmware /proc/acpi; do
    if test -d $path; then ls -A $path; elif test -e $path; then head -c 1 $path; fi
done
for path in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/kernel/profiling; do
    if test -e $path && echo x 2>/dev/null > $path; then echo wrote $path; fi
done
mkdir /sys/fs/cgroup/mine 2>/dev/null && echo made a cgroup
true"""
    assert demo.ok("run", *id_map_options, "debian-demo", "sh", "-c", script) == ""


def test_devices(demo: Rootless, id_map_options: tuple[str, ...], driver: str) -> None:
    """/dev has the standard nodes, links and folders, and they work."""
    script = (
        "ls /dev; head -c 3 /dev/zero | wc -c; echo x > /dev/null; readlink /dev/stdin; ls /dev/fd/"
    )
    options = (*id_map_options, "--overlay-driver", driver)
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", script).split()
    nodes = {"null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx", "shm", "mqueue"}
    # With one ID, apt is told by a file where nothing of the image lies.
    given = {"rootless-apt.conf"} if id_map_options else set()
    assert set(out[: out.index("3")]) == nodes | {"fd", "stdin", "stdout", "stderr"} | given
    assert out[out.index("3") :] == ["3", "/proc/self/fd/0", "0", "1", "2", "3"]


def test_a_device_that_is_passed(demo: Rootless) -> None:
    """--device passes a node, under another name too; one that the host lacks is one line."""
    options = ("--device", "/dev/fuse", "--device", "/dev/null:/dev/nothing:rw")
    script = "test -c /dev/fuse && echo x > /dev/nothing && echo both"
    assert demo.ok("run", *options, "debian-demo", "sh", "-c", script) == "both\n"
    result = demo("run", "--device", "/dev/nosuch", "debian-demo", "true")
    assert result.status == 125
    assert result.stderr == (
        "rootless: cannot pass the device: No such file or directory: /dev/nosuch\n"
    )


@pytest.mark.both_users
def test_open_files_of_the_caller_stay_outside(demo: Rootless, tmp_path: Path) -> None:
    """A descriptor that the caller left open does not reach the command, nor one of ours."""
    (tmp_path / "secret").write_text("secret")
    with open(tmp_path / "secret") as file:
        words = ("run", "debian-demo", "sh", "-c", "ls -l /proc/self/fd; ls -l /proc/1/fd")
        result = demo(*words, pass_fds=[file.fileno()])
    fds = [line.split()[-3] for line in result.stdout.splitlines() if " -> " in line]
    assert fds == ["0", "1", "2", "3"]  # the last is the listing's own
    assert "secret" not in result.stdout
    assert "Permission denied" in result.stderr  # /proc/1/fd


@pytest.mark.both_users
def test_init_cannot_be_looked_into(demo: Rootless) -> None:
    """PID 1 is not read by the command, even with every capability; so it is not traced either.

    The files below ask the kernel for the same right as ptrace(2) does.
    """
    script = """
import os
for name in ("exe", "root", "cwd", "fd/0", "mem", "environ", "maps"):
    path = f"/proc/1/{name}"
    try:
        print("opened", os.open(path, os.O_RDONLY), os.readlink(path) if name < "fe" else "")
    except OSError as error:
        print(name, error.errno)
"""
    for options in ((), ("--cap-add", "ALL")):
        out = demo.ok("run", *options, "debian-demo", "python3", "-c", script)
        assert "opened" not in out
        assert out.split()[1::2] == ["13"] * 7


def test_the_host_is_not_mounted(demo: Rootless, driver: str) -> None:
    """No mount of the host's is in the container's table, but what was asked for."""
    options = ("--overlay-driver", driver)
    out = demo.ok(
        "run", *options, "debian-demo", "cut", "-d", " ", "-f", "5", "/proc/self/mountinfo"
    )
    allowed = ("/proc", "/dev", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
    assert [line for line in out.splitlines() if line != "/" and not line.startswith(allowed)] == []


def test_nobody_outlives_the_command(
    demo: Rootless, tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """When the command ends, what it left in the background is ended too."""
    script = "setsid sleep 1000 & cat /proc/self/ns/pid 2>/dev/null; echo ready"
    with demo.start("run", "debian-demo", "sh", "-c", script, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"ready\n"
    assert process.returncode == 0
