"""How an agent gets its listener, over real sockets; a pipe stands for the descriptor."""

import array
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rootless.errors import Precondition, RootlessError
from rootless.linux.channel import Channel
from rootless.oci.runtime_spec import OCI_VERSION
from rootless.oci.seccomp_spec import SeccompSpec
from rootless.runtime import seccomp_listener

STATE = {"ociVersion": OCI_VERSION, "id": "c", "status": "creating", "bundle": "/b"}


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[socket.socket]:
    """An agent's socket, listening."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as found:
        found.bind(str(tmp_path / "agent"))
        found.listen()
        found.settimeout(10)
        yield found


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for the workload."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def spec(path: object, metadata: str = "") -> SeccompSpec:
    """Return a spec whose agent listens at a path."""
    return SeccompSpec("SCMP_ACT_ALLOW", listener_path=str(path), listener_metadata=metadata)


def taken(agent: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return what comes in one connection until its end."""
    connection, _ = agent.accept()
    with connection:
        data, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_LEN(64))
        while chunk := connection.recv(1 << 20):
            data += chunk
    fds = array.array("i")
    for _, _, payload in ancillary:
        fds.frombytes(payload)
    return json.loads(data), list(fds)


def test_from_the_workload_to_the_agent(
    agent: socket.socket, child: subprocess.Popen[bytes]
) -> None:
    """Each passes it on, the workload goes on last, and the state has the host's process ID."""
    read_fd, write_fd = os.pipe()
    ours, report = Channel.pair()
    outside, control = Channel.pair()
    workload = threading.Thread(target=seccomp_listener.hand_out, args=(report, write_fd))
    workload.start()
    received = ours.receive()
    assert received is not None
    first = threading.Thread(
        target=seccomp_listener.pass_on, args=(child.pid, received, ours, control)
    )
    first.start()
    message = outside.receive()
    assert message is not None
    assert seccomp_listener.MESSAGE in message[0]
    workload.join(0.05)
    assert workload.is_alive()

    metadata = "x" * 300_000  # more than a socket takes at once
    outcome: list[Any] = []
    reader = threading.Thread(target=lambda: outcome.append(taken(agent)))
    reader.start()
    seccomp_listener.deliver(message[1], spec(agent.getsockname(), metadata), STATE)
    for thread in (workload, first, reader):
        thread.join(10)
    ((document, fds),) = outcome
    assert document == {
        "ociVersion": OCI_VERSION,
        "fds": ["seccompFd"],
        "pid": child.pid,
        "metadata": metadata,
        "state": {**STATE, "pid": child.pid},
    }
    os.write(fds[0], b"x")
    assert os.read(read_fd, 1) == b"x"
    os.close(fds[0])
    assert os.read(read_fd, 1) == b""  # the agent's was the last
    os.close(read_fd)
    for channel in (ours, report, outside, control):
        channel.close()


@pytest.mark.parametrize("ended", ["no agent", "no workload"])
def test_an_end_is_seen(
    tmp_path: Path, agent: socket.socket, child: subprocess.Popen[bytes], ended: str
) -> None:
    """Without an agent, or a workload, nobody waits: both ends learn that it came to nothing."""
    path = agent.getsockname() if ended == "no workload" else str(tmp_path / "none")
    ours, report = Channel.pair()
    outside, control = Channel.pair()
    failures: list[BaseException] = []

    def first() -> None:
        listener = os.open("/dev/null", os.O_RDONLY)
        try:
            seccomp_listener.pass_on(child.pid, ({}, [listener]), ours, control)
        except RootlessError as error:
            failures.append(error)
            ours.close()

    thread = threading.Thread(target=first)
    thread.start()
    message = outside.receive()
    assert message is not None
    if ended == "no workload":
        child.kill()
        child.wait()
        with pytest.raises(RootlessError, match="the workload has ended"):
            seccomp_listener.deliver(message[1], spec(path), STATE)
    else:
        with pytest.raises(Precondition, match=r"cannot reach the seccomp agent: No such file"):
            seccomp_listener.deliver(message[1], spec(path), STATE)
    thread.join(10)
    assert len(failures) == 1
    with pytest.raises(RootlessError, match="was not given its listener"):
        seccomp_listener.hand_out(report, os.open("/dev/null", os.O_RDONLY))
    for channel in (report, outside, control):
        channel.close()
