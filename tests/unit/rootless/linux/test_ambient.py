"""Capabilities across execve(2): without privilege there are none, and nothing is left raised.

With a UID of its own in a user namespace it is tests/run that shows them kept (keep-id).
"""

import subprocess
from pathlib import Path

import pytest

from rootless.linux.ambient import kept_across_exec

pytestmark = pytest.mark.needs_user


def ambient(status: str) -> int:
    """Return the ambient set out of a /proc/PID/status."""
    return int(status.partition("CapAmb:")[2].split()[0], 16)


def test_nothing_to_keep() -> None:
    """An ordinary process gives none to its programs."""
    with kept_across_exec():
        shown = subprocess.run(["cat", "/proc/self/status"], stdout=-1, text=True, check=True)
    assert ambient(shown.stdout) == 0
    assert ambient(Path("/proc/self/status").read_text()) == 0
