"""Scopes of the user's systemd, without one; tests/run/test_cgroups.py has a real one."""

from pathlib import Path

import pytest

from rootless.errors import InvalidInput, Precondition
from rootless.runtime.systemd_scope import ScopeName, find_bus, start_scope


@pytest.mark.parametrize(
    ("text", "slice_", "unit"),
    [
        ("batch.slice:libpod:abc", "batch.slice", "libpod-abc.scope"),
        (":rootless:abc", "user.slice", "rootless-abc.scope"),
        ("::abc", "user.slice", "abc.scope"),
    ],
)
def test_name(text: str, slice_: str, unit: str) -> None:
    """slice:prefix:name, as runc reads it; a user's default slice is user.slice."""
    assert ScopeName.parse(text) == ScopeName(slice_, unit)


@pytest.mark.parametrize(
    "text", ["", "abc", "a.slice:b", "a.slice:b:", "a:b:c", "a.slice:b:c:d", "a.slice:b:c/d", "/a"]
)
def test_no_name(text: str) -> None:
    """What does not name a slice and a unit is refused."""
    with pytest.raises(InvalidInput, match=r"linux\.cgroupsPath"):
        ScopeName.parse(text)


def test_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session's address, or the socket in the run-time folder if it is there."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert find_bus() == ""
    (tmp_path / "bus").touch()
    assert find_bus() == f"unix:path={tmp_path}/bus"
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/other")
    assert find_bus() == "unix:path=/other"


def test_no_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a bus the error says how to get one."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(Precondition, match="enable-linger"):
        start_scope(ScopeName("user.slice", "x.scope"), Path("/sys/fs/cgroup"))


@pytest.mark.parametrize("path", ["/nowhere", ""])
def test_nobody_answers(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead bus and a missing busctl are one clear error each, and leave nothing behind."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")
    if path:
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("sh", "cat"):
            (tools / name).symlink_to(f"/bin/{name}")
        monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(Precondition, match=r"busctl is not installed|the user's systemd refuses"):
        start_scope(ScopeName("user.slice", "x.scope"), Path("/sys/fs/cgroup"))
