"""Keys of the caller: his session keyring is not the container's (keyrings(7))."""

import ctypes
import os
import platform
import subprocess
import sys

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

_ADD_KEY = {"x86_64": 248, "aarch64": 217}[platform.machine()]
_KEYCTL = {"x86_64": 250, "aarch64": 219}[platform.machine()]
_JOIN_SESSION_KEYRING = 1
_SESSION_KEYRING = -3

_WITH_A_KEY = f"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall({_KEYCTL}, {_JOIN_SESSION_KEYRING}, None) < 0:
    sys.exit(77)
if libc.syscall({_ADD_KEY}, b"user", b"rootless-secret", b"x", 1, {_SESSION_KEYRING}) < 0:
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


def _has_keyrings() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(_KEYCTL, 0, _SESSION_KEYRING, 0)) >= 0


@pytest.mark.both_users
def test_the_callers_keys_are_not_shown(demo: Rootless) -> None:
    """A container's /proc/keys has no key of the caller's session; keyctl(2) is refused."""
    if not _has_keyrings():
        pytest.skip("the kernel has no keyrings")
    options = ("--security-opt", "seccomp=unconfined")
    script = "cat /proc/keys 2>/dev/null; echo end"
    command = demo.command("run", *options, "debian-demo", "sh", "-c", script)
    words = [sys.executable, "-c", _WITH_A_KEY, *command]
    done = subprocess.run(
        words, env=dict(demo.home.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert done.stdout.endswith("end\n")
    assert "rootless-secret" not in done.stdout
    assert os.getuid() != 0
