"""config-linux.md, "Seccomp": the filter is for the container's program, not for what starts it."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runtime_bundle import Runtime

from rootless.linux import capset

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]

Bundle = Callable[..., Path]

# What is called on the way to execve(2) and by no program that is run here. A profile of before a
# call was added refuses it, and that often with EPERM.
REFUSED = (
    *("chdir", "close_range", "faccessat2", "fchdir", "openat2", "pidfd_open", "setgroups"),
    *("setgid", "setresgid", "setresuid", "setsid", "setuid", "statx"),
)
SHOW = "grep -E 'CapPrm|CapEff|Seccomp:' /proc/self/status"


def with_filter(*, no_new_privileges: bool, uid: int = 0, sets: Any = None) -> Any:
    """Return an edit: a filter that refuses all of that."""
    rule = {"names": list(REFUSED), "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EPERM}

    def edit(spec: dict[str, Any]) -> None:
        spec["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}
        spec["process"].update(noNewPrivileges=no_new_privileges, user={"uid": uid, "gid": uid})
        spec["process"].pop("capabilities", None)
        if sets is not None:
            spec["process"]["capabilities"] = sets

    return edit


def masks(said: str) -> tuple[int, int]:
    """Return the permitted and effective sets that the container has told, under a filter."""
    fields = dict(line.split(":\t") for line in said.splitlines())
    assert fields["Seccomp"] == "2"
    return int(fields["CapPrm"], 16), int(fields["CapEff"], 16)


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_what_starts_it_is_not_under_it(
    runtime: Runtime, bundle: Bundle, *, no_new_privileges: bool
) -> None:
    """The program runs, under the filter, with the capabilities asked for and no other."""
    names = ["CAP_CHOWN", "CAP_KILL"]
    sets = dict.fromkeys(("bounding", "permitted", "effective"), names)
    edit = with_filter(no_new_privileges=no_new_privileges, sets=sets)
    wanted = sum(1 << capset.NUMBERS[name] for name in names)
    assert masks(runtime.run_to_its_end("c", bundle(SHOW, edit))) == (wanted, wanted)


@pytest.mark.needs_subid
def test_another_user_without_sets(runtime: Runtime, bundle: Bundle) -> None:
    """Where no sets are asked for, a user who is not root has none, as setuid(2) has it."""
    edit = with_filter(no_new_privileges=False, uid=7)
    assert masks(runtime.run_to_its_end("c", bundle(SHOW, edit))) == (0, 0)


def test_root_without_sets(runtime: Runtime, bundle: Bundle) -> None:
    """Where no sets are asked for, root keeps those that he has."""
    edit = with_filter(no_new_privileges=False)
    every = (1 << capset.last_capability() + 1) - 1
    assert masks(runtime.run_to_its_end("c", bundle(SHOW, edit))) == (every, every)


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_exec(runtime: Runtime, bundle: Bundle, *, no_new_privileges: bool) -> None:
    """What `exec` starts beside it is started in the same way."""
    edit = with_filter(no_new_privileges=no_new_privileges)
    runtime.ok("create", "--bundle", bundle("exec sleep 600", edit), "c")
    runtime.ok("start", "c")
    masks(runtime.ok("exec", "c", "sh", "-c", SHOW))
