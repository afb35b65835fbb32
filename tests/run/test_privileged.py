"""--privileged: all that its caller may hand over, and nothing more."""

import os
import stat
from pathlib import Path

import pytest
from executable import Rootless
from living import LOOP, Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.both_users]

_ALL = (1 << (int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1)) - 1
_STATUS = ("grep", "-E", "^(CapBnd|CapEff|Seccomp|NoNewPrivs):", "/proc/self/status")


def status(text: str) -> dict[str, int]:
    """Return the lines of a /proc/PID/status as numbers."""
    lines = (line.split(":\t") for line in text.splitlines())
    return {name: int(value, 16) for name, value in lines}


def usable(folder: str) -> list[str]:
    """Return the device nodes of a folder that this user may open, but for those of terminals."""
    found = []
    for name in os.listdir(folder):
        mode = os.lstat(f"{folder}/{name}").st_mode
        if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and os.access(f"{folder}/{name}", os.R_OK):
            found.append(name)
    return [name for name in found if name != "console" and not name.startswith("tty")]


def test_rights(demo: Rootless) -> None:
    """Every capability, no filter, set-ID programs; what is asked for beside it has a say."""
    words = ("debian-demo", *_STATUS)
    free = {"CapEff": _ALL, "CapBnd": _ALL, "NoNewPrivs": 0, "Seccomp": 0}
    assert status(demo.ok("run", "--privileged", *words)) == free
    assert status(demo.ok("run", "--privileged", "-u", "0", "--rm", *words)) == free
    held = demo("run", "--privileged", "--cap-drop", "ALL", *words)
    assert (status(held.stdout), held.stderr.count("--cap-drop is not applied")) == (free, 1)
    option = ("--security-opt", "no-new-privileges")
    assert status(demo.ok("run", "--privileged", *option, *words)) == {**free, "NoNewPrivs": 1}
    bound = status(demo.ok("run", "--privileged", "--root-emulation", "on", *words))
    assert (bound["CapEff"], bound["Seccomp"]) == (_ALL, 2)


def test_what_is_there(demo: Rootless, tmp_path: Path) -> None:
    """The host's devices, nothing hidden below /proc, /sys to be written; what is root's stays so.

    No mount point is made in a folder of the caller's.
    """
    (tmp_path / "net").mkdir()
    script = (
        "panic=/proc/sys/kernel/panic; ls -1 /dev; echo ="
        "; grep -cE ' /proc/(kcore|keys|sys|irq) ' /proc/self/mountinfo"
        "; grep -E ' - sysfs ' /proc/self/mountinfo | cut -d' ' -f 5,6"
        "; ls /dev/net; mount -t tmpfs none /mnt && echo mounted"
        "; cp $panic /tmp; cat /tmp/panic >$panic"
    )
    bind = ("-v", f"{tmp_path}/net:/dev/net")
    result = demo("run", "--privileged", *bind, "debian-demo", "sh", "-c", script)
    inside, _, rest = result.stdout.partition("=\n")
    assert set(usable("/dev")) <= set(inside.split())
    hidden, sys, mounted = rest.splitlines()
    assert (hidden, mounted) == ("0", "mounted")
    assert sys.startswith("/sys rw,")
    assert "Permission denied" in result.stderr
    assert os.listdir(tmp_path / "net") == []


def test_one_that_lives_on(demo: Rootless) -> None:
    """It is as privileged at its next start; and `exec --privileged` is where the container is not.

    That one has the container's files as they are.
    """
    containers = Containers(demo)
    try:
        free = {"CapEff": _ALL, "CapBnd": _ALL, "NoNewPrivs": 0, "Seccomp": 0}
        one = containers.create("sh", "-c", LOOP, options=("--privileged",))
        demo.ok("start", one)
        assert status(demo.ok("exec", one, *_STATUS[:3], "/proc/2/status")) == free
        assert status(demo.ok("exec", one, *_STATUS)) == free
        assert demo.ok("inspect", "-f", "{{.HostConfig.Privileged}}", one) == "true\n"
        two = containers.shell(LOOP)
        assert status(demo.ok("exec", two, *_STATUS))["Seccomp"] == 2
        assert status(demo.ok("exec", "--privileged", two, *_STATUS)) == free
    finally:
        containers.remove_all()
