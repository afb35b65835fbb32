"""Hooks that are really run."""

import logging
import os
import signal
import time
from pathlib import Path

import pytest

from rootless.errors import RootlessError
from rootless.oci.hooks_spec import Hook
from rootless.runtime.hooks import run_hooks, try_hooks

STATE = b'{"ociVersion":"1.0.2","id":"c","status":"creating"}'


def shell(script: str, *, timeout: int | None = None, env: tuple[str, ...] = ()) -> Hook:
    """Return a hook that runs a script."""
    return Hook("/bin/sh", ("sh", "-c", script), env, timeout)


def test_state_arguments_and_environment(tmp_path: Path) -> None:
    """The state is on stdin up to its end, the arguments are as given, the environment no more."""
    out = tmp_path / "out"
    os.environ["SECRET"] = "1"
    try:
        run_hooks(
            (
                shell(f"cat >{out}"),
                shell(f'echo "$0 $A ${{SECRET-none}}" >>{out}', env=("A=x",)),
                Hook("/bin/sh", ("other", "-c", f"echo $0 >>{out}")),
            ),
            STATE,
        )
    finally:
        del os.environ["SECRET"]
    assert out.read_bytes() == STATE + b"sh x none\nother\n"


def test_no_arguments_are_the_path(tmp_path: Path) -> None:
    """A hook without args gets its path as its name."""
    script = tmp_path / "hook"
    script.write_text(f"#!/bin/sh\necho $0 $# >{tmp_path}/out\n")
    script.chmod(0o755)
    run_hooks((Hook(str(script)),), STATE)
    assert (tmp_path / "out").read_text() == f"{script} 0\n"


def test_a_large_state_that_nobody_reads() -> None:
    """A hook that does not read its stdin is not waited for."""
    run_hooks((Hook("/bin/true"),), b"x" * (1 << 20))


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        (shell("echo a >&2; echo the end >&2; exit 3"), "failed with status 3: /bin/sh (the end)"),
        (shell("exit 1"), "a hook failed with status 1: /bin/sh"),
        (shell("kill -9 $$"), "a hook failed with signal 9: /bin/sh"),
        (shell(r"printf '\033[1mx' >&2; exit 1"), "status 1: /bin/sh (?[1mx)"),
        (Hook("/none"), "status 127: /none (cannot execute: No such file or directory)"),
        (Hook("/etc/passwd"), "status 127: /etc/passwd (cannot execute: Permission denied)"),
    ],
)
def test_failure_is_an_error(tmp_path: Path, hook: Hook, says: str) -> None:
    """The first hook that fails is named with its status and last words; none is run after it."""
    with pytest.raises(RootlessError) as caught:
        run_hooks((hook, shell(f"touch {tmp_path}/next")), STATE)
    assert str(caught.value).endswith(says)
    assert not (tmp_path / "next").exists()


def test_much_to_say() -> None:
    """A hook that says more than a pipe holds ends all the same; its last line is told."""
    script = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done >&2; exit 1"
    with pytest.raises(RootlessError, match=r"\(line 19999\)"):
        run_hooks((shell(script),), STATE)


def test_timeout_kills_all_of_it(tmp_path: Path) -> None:
    """runtime.md: a hook that is not done in time is killed, its children too, and has failed."""
    script = f"sleep 1000 & echo $! >{tmp_path}/pid; echo busy >&2; wait"
    begin = time.monotonic()
    with pytest.raises(RootlessError, match=r"timed out after 1 s: /bin/sh \(busy\)"):
        run_hooks((shell(script, timeout=1),), STATE)
    assert 0.9 < time.monotonic() - begin < 10
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}/exe") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{pid}/exe")


def test_who_stays_behind_is_not_waited_for(tmp_path: Path) -> None:
    """A hook may leave a process behind that holds its stderr."""
    begin = time.monotonic()
    run_hooks((shell(f"sleep 20 & echo $! >{tmp_path}/pid", timeout=15),), STATE)
    assert time.monotonic() - begin < 10
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_failure_that_is_only_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """runtime.md, poststart and poststop: log a warning, and the remaining hooks are run."""
    with caplog.at_level(logging.WARNING):
        try_hooks((shell("exit 4"), shell(f"touch {tmp_path}/next")), STATE)
    assert "a hook failed with status 4: /bin/sh" in caplog.text
    assert (tmp_path / "next").exists()
