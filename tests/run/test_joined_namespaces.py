"""Namespaces that are joined by their path (runtime-spec config-linux.md, "Namespaces")."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from demo_bundle import DemoBundle
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

KINDS = ("ipc", "uts", "net", "cgroup", "pid", "user")
SHOW = "readlink " + " ".join(f"/proc/self/ns/{kind}" for kind in KINDS)


@pytest.fixture
def holder(demo: Rootless, wait_until: Callable[[Callable[[], bool]], None]) -> Iterator[int]:
    """Process ID of the workload of a container that runs meanwhile."""
    seconds = str(100_000_000 + os.getpid())
    words = ("--network", "none", "--hostname", "held", "debian-demo", "sleep", seconds)
    run = demo.start("run", *words, stdin=subprocess.DEVNULL)
    found: list[int] = []

    def is_there() -> bool:
        found[:] = list(_running("sleep", seconds))
        return bool(found)

    wait_until(is_there)
    yield found[0]
    run.send_signal(signal.SIGTERM)
    run.wait(20)


def _running(*words: str) -> Iterator[int]:
    cmdline = "\0".join(words).encode() + b"\0"
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes() == cmdline:
                yield int(folder.name)
        except OSError:
            continue


def joined(pid: int, *kinds: str) -> list[dict[str, Any]]:
    """Return linux.namespaces that join a process's, and make the rest."""
    files = {"network": "net"}
    made = [{"type": kind} for kind in ("mount", "pid") if kind not in kinds]
    return made + [
        {"type": kind, "path": f"/proc/{pid}/ns/{files.get(kind, kind)}"} for kind in kinds
    ]


def namespaces_of(pid: int) -> list[str]:
    """Return what identifies a process's namespaces."""
    return [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in KINDS]


@pytest.mark.both_users
def test_all_of_another_container(demo_bundle: DemoBundle, holder: int) -> None:
    """With its user namespace first, every other namespace of a container can be joined."""
    kinds = ("user", "ipc", "uts", "network", "cgroup", "pid")
    demo_bundle.linux(namespaces=joined(holder, *kinds), uidMappings=[], gidMappings=[])
    demo_bundle.change(lambda spec: spec.pop("hostname"))
    out = demo_bundle.ok(f"{SHOW}; hostname; cat /proc/1/comm").split()
    assert out[:-2] == namespaces_of(holder)
    assert out[-2:] == ["held", "rootless-init"]


@pytest.mark.both_users
def test_network_alone(demo_bundle: DemoBundle, holder: int) -> None:
    """The network of another container with all else one's own: only loopback, and it is up."""
    demo_bundle.linux(
        namespaces=[*joined(holder, "user", "network"), {"type": "uts"}, {"type": "ipc"}]
    )
    out = demo_bundle.ok(f"{SHOW}; cat /sys/class/net/lo/operstate; hostname").split()
    own = namespaces_of(holder)
    assert [out[i] == own[i] for i in range(6)] == [False, False, True, False, False, True]
    assert out[-1] != "held"


@pytest.mark.both_users
def test_files_have_the_owners_of_the_joined_namespace(
    demo_bundle: DemoBundle, holder: int
) -> None:
    """The image is served by the maps of the user namespace that is joined."""
    demo_bundle.linux(namespaces=[*joined(holder, "user"), {"type": "ipc"}])
    assert demo_bundle.ok("stat -c %u:%g /etc/passwd; touch /new; id -u").split() == ["0:0", "0"]
    result = demo_bundle("true", "--userns", "single")
    assert "the bundle joins a user namespace, which has its ID maps" in result.stderr


# Root of a user namespace makes a network of his own, as podman does, and then the container.
OUTER = """
unshare --net sleep 1000 &
while test "$(readlink /proc/$!/ns/net)" = "$(readlink /proc/$$/ns/net)"; do sleep 0.01; done
sed -i "s#/HOLDER#/proc/$!/ns/net#" "$1/config.json"
"$2" run --bundle "$1" readlink /proc/self/ns/net
status=$?
readlink /proc/$!/ns/net
kill $!
exit $status
"""


@pytest.mark.both_users
def test_one_that_belongs_to_the_namespace_outside(demo_bundle: DemoBundle) -> None:
    """A network that belongs to the caller's user namespace is joined before another is made."""
    demo_bundle.linux(
        namespaces=[
            *({"type": kind} for kind in ("user", "mount", "pid", "ipc", "uts")),
            {"type": "network", "path": "/HOLDER"},
        ],
        uidMappings=[],
        gidMappings=[],
    )
    done = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "sh", "-c", OUTER, "sh"),
            *(demo_bundle.folder, demo_bundle.rootless.executable),
        ],
        env=dict(demo_bundle.rootless.home.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    inside, holder = done.stdout.split()
    assert inside == holder


def test_what_cannot_be_joined(demo_bundle: DemoBundle, holder: int) -> None:
    """One line says what is wrong with a path."""
    for namespaces, says in (
        ([{"type": "network", "path": "/none"}], "no such namespace: linux.namespaces: network"),
        ([{"type": "network", "path": "/etc/passwd"}], "not a namespace: linux.namespaces"),
        (
            [{"type": "network", "path": f"/proc/{holder}/ns/ipc"}],
            "the path leads to a namespace of another type: ipc: linux.namespaces: network",
        ),
        ([{"type": "mount", "path": f"/proc/{holder}/ns/mnt"}], "mount namespace cannot be joined"),
        (joined(holder, "network"), "that must be joined too: name its path as well)"),
        ([{"type": "user", "path": "/none"}], "cannot join the user namespace: No such file"),
        ([{"type": "ipc", "path": "x"}], "linux.namespaces[0].path must be an absolute path"),
    ):
        demo_bundle.linux(namespaces=namespaces)
        result = demo_bundle("echo ran")
        assert (result.status, result.stdout, result.stderr.count("\n")) == (125, "", 1)
        assert says in result.stderr
