"""config-linux.md, "Seccomp", by the runtime's verbs: `create`, `start`, `exec`, `features`."""

import errno
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runtime_bundle import Runtime
from seccomp_agent import Agent

from rootless.linux.libseccomp import Libseccomp
from rootless.oci.seccomp_spec import ACTIONS, ARCHITECTURES, FLAGS, OPERATORS

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]

Bundle = Callable[..., Path]

MKDIR = 'perl -e \'print mkdir("/tmp/" . rand) ? "made" : $! + 0, "\\n"\''
_SYSCALLS = ["mkdir", "mkdirat"]


def with_filter(action: str, *, no_new_privileges: bool = True, **members: Any) -> Any:
    """Return an edit: a filter with this action for mkdir(2)."""
    rule: dict[str, Any] = {"names": _SYSCALLS, "action": action}
    if action == "SCMP_ACT_ERRNO":
        rule["errnoRet"] = errno.EXDEV
    seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule], **members}

    def edit(spec: dict[str, Any]) -> None:
        spec["linux"]["seccomp"] = seccomp
        spec["process"]["noNewPrivileges"] = no_new_privileges

    return edit


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_a_call_is_refused(runtime: Runtime, bundle: Bundle, *, no_new_privileges: bool) -> None:
    """The container's process is under the filter, and so is what `exec` starts beside it."""
    edit = with_filter("SCMP_ACT_ERRNO", no_new_privileges=no_new_privileges)
    folder = bundle(f"grep Seccomp: /proc/self/status; {MKDIR}; exec sleep 600", edit)
    runtime.ok("create", "--bundle", folder, "c")
    runtime.ok("start", "c")
    words = ("sh", "-c", f"grep Seccomp: /proc/self/status; {MKDIR}")
    said = ["Seccomp:", "2", str(errno.EXDEV)]
    assert runtime.ok("exec", "c", *words).split() == said
    runtime.ok("delete", "--force", "c")
    assert runtime.said.split() == said


def test_without_a_filter(runtime: Runtime, bundle: Bundle) -> None:
    """A config.json that has none asks for none: no default profile of ours is in its place."""
    folder = bundle(f"grep Seccomp: /proc/self/status; {MKDIR}")
    assert runtime.run_to_its_end("c", folder).split() == ["Seccomp:", "0", "made"]


def test_a_call_that_kills(runtime: Runtime, bundle: Bundle) -> None:
    """SCMP_ACT_KILL_PROCESS ends the program by SIGSYS."""
    folder = bundle(f"{MKDIR}; echo $?", with_filter("SCMP_ACT_KILL_PROCESS"))
    assert runtime.run_to_its_end("c", folder).split()[-1] == str(128 + signal.SIGSYS)


def test_faults_are_found_by_create(runtime: Runtime, bundle: Bundle) -> None:
    """`create` refuses a filter that cannot be made, and nothing is left of the container."""
    edits = {
        "linux.seccomp.syscalls[0].action is not known": with_filter("SCMP_ACT_NO"),
        "needs a listenerPath": with_filter("SCMP_ACT_NOTIFY"),
        "linux.seccomp.flags[0] is not known": with_filter("SCMP_ACT_TRAP", flags=["X"]),
    }
    for says, edit in edits.items():
        result = runtime("create", "--bundle", bundle("true", edit), "c")
        assert result.status == 125
        assert says in runtime.errors
        assert runtime.status("c") == ""


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_an_agent_answers(
    runtime: Runtime, bundle: Bundle, tmp_path: Path, *, no_new_privileges: bool
) -> None:
    """The agent gets the state that `state` tells, and the listener, when `start` is called."""
    agent = Agent(tmp_path / "agent", [errno.EXDEV, 0])
    agent.start()
    edit = with_filter(
        "SCMP_ACT_NOTIFY",
        no_new_privileges=no_new_privileges,
        listenerPath=str(tmp_path / "agent"),
        listenerMetadata="m",
    )
    folder = bundle(f"{MKDIR}; {MKDIR}", edit)
    runtime.ok("create", "--bundle", folder, "c")
    created = runtime.state("c")
    assert agent.state == {}
    runtime.ok("start", "c")
    agent.join(20)
    runtime.wait_for("c", "stopped")
    assert runtime.said.split() == [str(errno.EXDEV), "made"]
    sent = agent.state
    assert (sent["pid"], sent["metadata"], sent["fds"]) == (created["pid"], "m", ["seccompFd"])
    for key in ("id", "pid", "bundle", "ociVersion"):
        assert sent["state"][key] == created[key]


def test_no_agent(runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
    """`start` fails with one line where nobody listens, and the program has not run."""
    edit = with_filter("SCMP_ACT_NOTIFY", listenerPath=str(tmp_path / "none"))
    runtime.ok("create", "--bundle", bundle("echo ran", edit), "c")
    result = runtime("start", "c")
    assert result.status == 125
    assert result.stderr == (
        "rootless-runtime: cannot reach the seccomp agent: No such file or directory: "
        f"{tmp_path}/none (linux.seccomp.listenerPath names it)\n"
    )
    runtime.wait_for("c", "stopped")
    assert runtime.said == ""


def test_features(runtime: Runtime) -> None:
    """features-linux.md, "seccomp": what config.json may say here."""
    told = json.loads(runtime.ok("features"))["linux"]["seccomp"]
    assert told["enabled"] is True
    assert told["actions"] == list(ACTIONS)
    assert told["operators"] == list(OPERATORS)
    assert told["knownFlags"] == told["supportedFlags"] == list(FLAGS)
    assert {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"} <= set(told["archs"]) <= set(ARCHITECTURES)
    library = Libseccomp()
    knows = library.architecture("loongarch64") is not None  # since 2.6
    assert ("SCMP_ARCH_LOONGARCH64" in told["archs"]) is knows
