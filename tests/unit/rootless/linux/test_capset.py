"""Capability sets of the calling thread."""

from pathlib import Path

import pytest

from rootless.linux.capset import NAMES, NUMBERS, capset, last_capability, permitted


def status(field: str) -> int:
    """Return a mask that the kernel shows of this thread."""
    lines = Path("/proc/thread-self/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith(f"{field}:"))


def test_permitted_is_what_the_kernel_shows() -> None:
    """All 64 bits come in their places."""
    assert permitted() == status("CapPrm")


def test_names_have_the_kernel_s_numbers() -> None:
    """linux/capability.h: some from each end; the kernel knows no more than the names."""
    assert [NUMBERS[f"CAP_{name}"] for name in ("CHOWN", "KILL", "SYS_ADMIN")] == [0, 5, 21]
    assert (NUMBERS["CAP_SETFCAP"], NUMBERS["CAP_CHECKPOINT_RESTORE"]) == (31, 40)
    assert last_capability() < len(NAMES)


@pytest.mark.needs_user
def test_setting_what_one_has_changes_nothing() -> None:
    """The sets that this thread has can be set; one that it lacks is refused."""
    sets = (status("CapEff"), status("CapPrm"), status("CapInh"))
    capset(*sets)
    assert (status("CapEff"), status("CapPrm"), status("CapInh")) == sets
    with pytest.raises(PermissionError):
        capset(1 << 40, 1 << 40, 0)
