"""What a filter of system calls lets the command do (runtime-spec config-linux.md, Seccomp)."""

import errno
import json
import platform
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from executable import Rootless
from seccomp_agent import Agent

pytestmark = [
    pytest.mark.needs_fuse,
    pytest.mark.needs_user,
    pytest.mark.skipif(
        platform.machine() != "x86_64", reason="needs kernel of x86-64: the numbers below"
    ),
]

# Calls that the default profile refuses: numbers on x86-64
REFUSED = {
    "kexec_load": (246, errno.EPERM),
    "add_key": (248, errno.ENOSYS),
    "request_key": (249, errno.ENOSYS),
    "open_by_handle_at": (304, errno.EPERM),
    "init_module": (175, errno.EPERM),
    "acct": (163, errno.EPERM),
    "settimeofday": (164, errno.EPERM),
    "perf_event_open": (298, errno.EPERM),
    "bpf": (321, errno.EPERM),
    "userfaultfd": (323, errno.EPERM),
    "io_uring_setup": (425, errno.ENOSYS),
    "not there yet": (999, errno.ENOSYS),
}
_KEYCTL = 250
_MKDIR = 83
_SOCKET = 41

# Prints the error of each system call, 0 for none; words are NUMBER[,ARGUMENT...].
_CALL = (
    'for (@ARGV) { my ($n, @a) = map { $_ + 0 } split ","; '
    '$! = 0; syscall($n, @a); print $! + 0, "\\n" }'
)


def call(*calls: tuple[int, ...]) -> tuple[str, ...]:
    """Return a command that makes system calls and prints their errors."""
    return ("perl", "-e", _CALL, *(",".join(map(str, words)) for words in calls))


def profile(path: Path, *rules: dict[str, Any], default: str = "SCMP_ACT_ALLOW") -> str:
    """Write a seccomp profile; return the option for it."""
    path.write_text(json.dumps({"defaultAction": default, "syscalls": rules}))
    return f"seccomp={path}"


@pytest.fixture
def bundle(demo: Rootless, tmp_path: Path) -> Callable[..., Path]:
    """Make a bundle of the demo image whose config.json has this `linux.seccomp`."""

    def make(command: tuple[str, ...], seccomp: dict[str, Any] | None, **process: Any) -> Path:
        folder = tmp_path / "bundle"
        demo.ok("bundle", "create", "debian-demo", folder, *command)
        path = folder / "config.json"
        spec = json.loads(path.read_text())
        spec["process"] |= process
        if seccomp is None:
            del spec["linux"]["seccomp"]
        else:
            spec["linux"]["seccomp"] = seccomp
        path.write_text(json.dumps(spec))
        return folder

    return make


@pytest.mark.both_users
def test_the_default_profile_refuses(demo: Rootless) -> None:
    """What reaches into the kernel is refused by the filter, which /proc shows."""
    out = demo.ok("run", "debian-demo", *call(*((n, 0, 0, 0) for n, _ in REFUSED.values())))
    assert dict(zip(REFUSED, map(int, out.split()), strict=True)) == {
        name: error for name, (_, error) in REFUSED.items()
    }
    status = demo.ok("run", "debian-demo", "cat", "/proc/self/status")
    assert "NoNewPrivs:\t1\n" in status
    assert "Seccomp:\t2\nSeccomp_filters:\t1\n" in status


def test_it_is_the_filter_that_refuses(demo: Rootless) -> None:
    """Without it the kernel answers itself: to some of the same calls something else."""
    option = ("--security-opt", "seccomp=unconfined")
    words = call((248, 0, 0, 0), (249, 0, 0, 0), (312, 2, 2, 1, 0, 0))
    out = demo.ok("run", *option, "debian-demo", *words).split()
    assert str(errno.ENOSYS) not in out
    assert out[2] == "0"
    status = demo.ok("run", *option, "debian-demo", "cat", "/proc/self/status")
    assert "Seccomp:\t0\n" in status


def test_sockets(demo: Rootless) -> None:
    """All families but the hypervisor's; netlink but for the audit log."""
    sockets = ((1, 1, 0), (2, 1, 0), (10, 2, 0), (16, 3, 0), (16, 3, 9), (40, 1, 0))
    out = demo.ok("run", "debian-demo", *call(*((_SOCKET, *words) for words in sockets)))
    assert [int(word) for word in out.split()] == [0, 0, 0, 0, errno.EINVAL, errno.EAFNOSUPPORT]


def test_capabilities_open_calls(demo: Rootless) -> None:
    """A capability that is added opens its calls: the error is the kernel's own then."""
    words = call((REFUSED["acct"][0], 1), (161, 1))  # acct, chroot: of a bad address
    out = demo.ok("run", "--cap-drop", "sys_chroot", "debian-demo", *words)
    assert [int(word) for word in out.split()] == [errno.EPERM, errno.EPERM]
    options = ("--cap-add", "sys_ptrace")
    kcmp = call((312, 2, 2, 1, 0, 0))
    assert demo.ok("run", "debian-demo", *kcmp).strip() == str(errno.EPERM)
    assert demo.ok("run", *options, "debian-demo", *kcmp).strip() == "0"


@pytest.mark.both_users
def test_programs_work(demo: Rootless) -> None:
    """Threads, namespaces of one's own, a shell's jobs, Python: nothing of it meets the filter."""
    script = """set -e
(sleep 0.01 & wait)
unshare -r -m sh -c 'mount -t tmpfs none /mnt && echo a > /mnt/b && cat /mnt/b'
python3 -c 'import threading as t; x = t.Thread(target=print, args=("t",)); x.start(); x.join()'
date +%s > /tmp/now; cp -a /tmp/now /tmp/later; mkfifo /tmp/f; ln -s f /tmp/l; ls /tmp | wc -l
"""
    assert demo.ok("run", "debian-demo", "bash", "-c", script).split() == ["a", "t", "4"]


def test_privileges_can_be_new(demo: Rootless) -> None:
    """The filter is there without no_new_privs too, for root and for another user."""
    options = ("--security-opt", "no-new-privileges=false")
    for user in ("0", "7"):
        words = ("run", *options, "--user", user, "debian-demo", "cat", "/proc/self/status")
        status = demo.ok(*words)
        assert "NoNewPrivs:\t0\nSeccomp:\t2\n" in status


@pytest.mark.both_users
def test_containers_that_live(demo: Rootless, kept_name: str) -> None:
    """What `exec` starts is under the filter too, and so is the command when it starts again."""
    status = ("grep", "-h", "Seccomp:", "/proc/self/status", "/proc/2/status")
    demo.ok("run", "-d", "--name", kept_name, "debian-demo", "sleep", "600")
    assert demo.ok("exec", kept_name, *status).split() == ["Seccomp:", "2"] * 2
    demo.ok("stop", "-t", "0", kept_name)
    demo.ok("start", kept_name)
    assert demo.ok("exec", kept_name, *status).split() == ["Seccomp:", "2"] * 2
    demo.ok("rm", "-f", kept_name)
    option = ("--security-opt", "seccomp=unconfined")
    demo.ok("run", "-d", *option, "--name", kept_name, "debian-demo", "sleep", "600")
    assert demo.ok("exec", kept_name, *status).split() == ["Seccomp:", "0"] * 2
    demo.ok("rm", "-f", kept_name)


def test_a_profile_of_one_s_own(demo: Rootless, tmp_path: Path) -> None:
    """Docker's format; an error number, a comparison of an argument, a condition."""
    rules: list[dict[str, Any]] = [
        {"names": ["mkdir", "nosuchcall"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EXDEV},
        {
            "names": ["kill"],
            "action": "SCMP_ACT_ERRNO",
            "args": [
                {"index": 0, "value": 1 << 40, "op": "SCMP_CMP_LT"},
                {"index": 1, "value": 0xFF, "valueTwo": 12, "op": "SCMP_CMP_MASKED_EQ"},
            ],
        },
        {
            "names": ["getsid"],
            "action": "SCMP_ACT_ERRNO",
            "errnoRet": errno.EBADF,
            "includes": {"caps": ["CAP_CHOWN"]},
        },
        {
            "names": ["getpgid"],
            "action": "SCMP_ACT_ERRNO",
            "excludes": {"caps": ["CAP_CHOWN"]},
        },
    ]
    option = ("--security-opt", profile(tmp_path / "p.json", *rules))
    kills = ((62, 9999, 12), (62, 9999, 10), (62, 9999, 256 + 12))
    words = call((_MKDIR, 0), *kills, (124, 0), (121, 0))
    out = demo.ok("run", *option, "debian-demo", *words)
    expected = [errno.EXDEV, errno.EPERM, errno.ESRCH, errno.EPERM, errno.EBADF, 0]
    assert [int(word) for word in out.split()] == expected
    out = demo.ok("run", *option, "--cap-drop", "chown", "debian-demo", *words)
    assert [int(word) for word in out.split()][4:] == [0, errno.EPERM]


@pytest.mark.parametrize("action", ["SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL", "SCMP_ACT_TRAP"])
def test_a_call_that_kills(demo: Rootless, tmp_path: Path, action: str) -> None:
    """The command ends by SIGSYS, and the status says so."""
    option = profile(tmp_path / "p.json", {"names": ["mkdir"], "action": action})
    result = demo("run", "--security-opt", option, "debian-demo", *call((_MKDIR, 0)))
    assert result.status == 128 + signal.SIGSYS
    assert result.stdout == result.stderr == ""


def test_a_filter_that_allows_nothing(demo: Rootless, tmp_path: Path) -> None:
    """Execve(2) itself is filtered: the run ends, with a status that is not success."""
    option = profile(tmp_path / "p.json", default="SCMP_ACT_KILL_PROCESS")
    result = demo("run", "--security-opt", option, "debian-demo", "true", timeout=20)
    assert result.status == 128 + signal.SIGSYS
    option = profile(tmp_path / "p.json", {"names": ["execve"], "action": "SCMP_ACT_ERRNO"})
    result = demo("run", "--security-opt", option, "debian-demo", "true", timeout=20)
    assert result.status == 126
    assert result.stderr == "rootless: cannot execute: Operation not permitted: /usr/bin/true\n"


def test_profiles_that_are_none(demo: Rootless, tmp_path: Path) -> None:
    """One line with what is wrong, and nothing has been started."""
    bad = profile(tmp_path / "p.json", {"names": ["mkdir"], "action": "SCMP_ACT_PERHAPS"})
    for option, says in (
        (bad, f"{tmp_path}/p.json is not valid: syscalls[0].action is not known"),
        (f"seccomp={tmp_path}/none", "cannot read the seccomp profile: No such file"),
        ("seccomp=", "unknown security option"),
    ):
        result = demo("run", "--security-opt", option, "debian-demo", "true")
        assert result.status == 125
        assert says in result.stderr
        assert result.stderr.count("\n") == 1


def test_of_a_bundle(demo: Rootless, bundle: Callable[..., Path]) -> None:
    """A bundle's own `linux.seccomp`, architectures and flags included."""
    seccomp = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EXDEV}],
    }
    folder = bundle(call((_MKDIR, 0)), seccomp)
    assert demo.ok("run", "--bundle", folder).split() == [str(errno.EXDEV)]
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"noNewPrivileges": true', '"noNewPrivileges": false'))
    assert demo.ok("run", "--bundle", folder).split() == [str(errno.EXDEV)]
    path.write_text(path.read_text().replace("SCMP_ARCH_X32", "SCMP_ARCH_PDP11"))
    result = demo("run", "--bundle", folder)
    assert result.status == 125
    assert "linux.seccomp.architectures[1] is not known: 'SCMP_ARCH_PDP11'" in result.stderr


def test_a_bundle_without_one(demo: Rootless, bundle: Callable[..., Path]) -> None:
    """A bundle that does not ask for a filter gets none; one of an image asks for the default."""
    folder = bundle(("grep", "Seccomp:", "/proc/self/status"), None)
    assert demo.ok("run", "--bundle", folder).split() == ["Seccomp:", "0"]
    demo.ok("bundle", "create", "debian-demo", folder.parent / "other", *call((248, 0)))
    assert demo.ok("run", "--bundle", folder.parent / "other").split() == [str(errno.ENOSYS)]


def _notifying(path: Path, *names: str) -> dict[str, Any]:
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        "listenerPath": str(path),
        "listenerMetadata": "for the agent",
        "syscalls": [{"names": list(names), "action": "SCMP_ACT_NOTIFY"}],
    }


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_an_agent_answers(
    demo: Rootless, bundle: Callable[..., Path], tmp_path: Path, *, no_new_privileges: bool
) -> None:
    """SCMP_ACT_NOTIFY: the agent gets the container's state and listener, and answers calls."""
    agent = Agent(tmp_path / "agent", [0, errno.EXDEV])
    agent.start()
    folder = bundle(
        call((_MKDIR, 0), (_MKDIR, 0)),
        _notifying(tmp_path / "agent", "mkdir"),
        noNewPrivileges=no_new_privileges,
    )
    out = demo.ok("run", "--bundle", folder)
    agent.join(20)
    assert out.split() == ["0", str(errno.EXDEV)]
    assert agent.calls == [_MKDIR, _MKDIR]
    assert agent.names == ["perl", "perl"]
    state = agent.state["state"]
    assert agent.state["fds"] == ["seccompFd"]
    assert agent.state["metadata"] == "for the agent"
    assert agent.state["pid"] == state["pid"] > 2
    assert state["status"] == "creating"
    assert len(state["id"]) == 64
    assert state["annotations"]["org.rootless.image"].startswith("sha256:")


def test_an_agent_is_asked_about_execve(
    demo: Rootless, bundle: Callable[..., Path], tmp_path: Path
) -> None:
    """The agent has its listener before the first call that it is asked about."""
    agent = Agent(tmp_path / "agent", [errno.EXDEV])
    agent.start()
    result = demo("run", "--bundle", bundle(("true",), _notifying(tmp_path / "agent", "execve")))
    agent.join(20)
    assert agent.calls == [59]
    assert result.status == 126
    assert result.stderr == "rootless: cannot execute: Invalid cross-device link: /usr/bin/true\n"


@pytest.mark.parametrize("wrong", ["no socket", "nobody listens"])
def test_no_agent(demo: Rootless, bundle: Callable[..., Path], tmp_path: Path, wrong: str) -> None:
    """Without its agent the container does not start, and one line says what was not there."""
    if wrong == "nobody listens":
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
            bound.bind(str(tmp_path / "agent"))
    folder = bundle(("echo", "started"), _notifying(tmp_path / "agent", "mkdir"))
    result = demo("run", "--bundle", folder, timeout=20)
    assert result.status == 125
    assert result.stdout == ""
    assert result.stderr.startswith("rootless: cannot reach the seccomp agent: ")
    assert f"{tmp_path}/agent" in result.stderr
    assert result.stderr.count("\n") == 1
