"""podman's seccomp options, over `rootless-runtime`."""

import errno
import json
from pathlib import Path

import pytest
from executable import Rootless
from podman_session import IMAGE, PLAIN, Podman

pytestmark = [pytest.mark.needs_user, pytest.mark.needs_subid, pytest.mark.slow]

# Prints the error of each system call, 0 for none: numbers on x86-64.
_CALL = 'for (@ARGV) { $! = 0; syscall($_ + 0, 0, 0, 0); print $! + 0, "\\n" }'
# add_key, kexec_load, bpf, setns, kcmp, chroot, personality, none
_NUMBERS = ("248", "246", "321", "308", "312", "161", "135", "999")


@pytest.mark.needs_fuse
@pytest.mark.parametrize("options", [(), ("--cap-add=sys_ptrace",), ("--cap-drop=sys_chroot",)])
def test_the_default_profile(by_runtime: Podman, demo: Rootless, options: tuple[str, ...]) -> None:
    """What podman writes into config.json and our own default profile have the same effect."""
    words = ("perl", "-e", _CALL, *_NUMBERS)
    by_podman = by_runtime.ok("run", "--rm", *PLAIN, *options, IMAGE, *words)
    network = ("--network", "none")
    assert by_podman == demo.ok("run", *network, *options, "debian-demo", *words)
    assert by_podman.split()[0] == by_podman.split()[-1] == str(errno.ENOSYS)
    kcmp, chroot = by_podman.split()[4:6]
    assert (kcmp == str(errno.EPERM)) is ("--cap-add=sys_ptrace" not in options)
    assert (chroot == str(errno.EPERM)) is ("--cap-drop=sys_chroot" in options)


def test_a_profile_of_one_s_own(by_runtime: Podman, tmp_path: Path) -> None:
    """--security-opt seccomp=FILE, and unconfined."""
    rule = {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EXDEV}
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    words = (IMAGE, "perl", "-e", _CALL, "83", "999")
    option = f"--security-opt=seccomp={path}"
    out = by_runtime.ok("run", "--rm", *PLAIN, option, *words)
    assert out.split() == [str(errno.EXDEV), str(errno.ENOSYS)]
    status = (IMAGE, "grep", "Seccomp:", "/proc/self/status")
    option = "--security-opt=seccomp=unconfined"
    assert by_runtime.ok("run", "--rm", *PLAIN, option, *status).split() == ["Seccomp:", "0"]
    assert by_runtime.ok("run", "--rm", *PLAIN, *status).split() == ["Seccomp:", "2"]
