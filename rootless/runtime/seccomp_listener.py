"""The agent that answers for SCMP_ACT_NOTIFY: how it gets its listener (config-linux.md, Seccomp).

The workload makes the listener when it loads its filter; a socket of the host is out of its reach
by then. So the descriptor travels to PID 1, which adds a pidfd of the workload, and from there to
the runtime outside, which alone knows the container's state and the process ID that the host has
for it. The workload goes on when the agent has been given the listener.
"""

import array
import json
import os
import socket
from collections.abc import Mapping
from typing import Any

from rootless.errors import Precondition, RootlessError
from rootless.linux.channel import Channel, Message
from rootless.linux.process_id import pid_of
from rootless.oci.runtime_spec import OCI_VERSION
from rootless.oci.seccomp_spec import SeccompSpec

MESSAGE = "seccomp_listener"
_PATIENCE_S = 10.0


def hand_out(report: Channel, listener: int) -> None:
    """In the workload: give the listener away, and wait until the agent has it."""
    report.send({MESSAGE: True}, [listener])
    answer = report.receive()
    os.close(listener)
    if answer is None:
        raise RootlessError("the seccomp agent was not given its listener")


def pass_on(
    workload: int, received: tuple[Message, list[int]], report: Channel, control: Channel
) -> None:
    """In PID 1: send the workload's listener outside; tell the workload when it has arrived."""
    (listener,) = received[1]
    pidfd = os.pidfd_open(workload)
    ours, theirs = Channel.pair()
    try:
        control.send({MESSAGE: True}, [listener, pidfd, theirs.fileno()])
        theirs.close()
        if ours.receive() is None:  # what is wrong is told by who found it, and ends the container
            raise RootlessError("the seccomp agent was not given its listener")
        report.send({MESSAGE: True})
    finally:
        os.close(pidfd)
        os.close(listener)
        ours.close()
        theirs.close()


def deliver(fds: list[int], spec: SeccompSpec, state: Mapping[str, Any]) -> None:
    """Outside: connect to the agent and send it "The Container Process State".

    Args:
        fds: As they came in the message; closed here.
        spec: Names the agent's socket.
        state: The state of the container (runtime.md, State); its `pid` is set here.

    Raises Precondition where the agent is not there.
    """
    listener, pidfd, answer = fds
    workload = Channel(socket.socket(fileno=answer))
    try:
        pid = pid_of(pidfd)
        if pid < 0:
            raise RootlessError("the workload has ended before the seccomp agent was told of it")
        _give(listener, pid, spec, {**state, "pid": pid})
        workload.send({MESSAGE: True})
    finally:
        workload.close()
        os.close(pidfd)
        os.close(listener)


def tell_agent(listener: int, pid: int, spec: SeccompSpec, state: Mapping[str, Any]) -> None:
    """Give the agent the listener of process `pid`, which is closed here; raises Precondition."""
    try:
        _give(listener, pid, spec, state)
    finally:
        os.close(listener)


def _give(listener: int, pid: int, spec: SeccompSpec, state: Mapping[str, Any]) -> None:
    document: dict[str, Any] = {
        "ociVersion": OCI_VERSION,
        "fds": ["seccompFd"],
        "pid": pid,
        "state": state,
    }
    if spec.listener_metadata:
        document["metadata"] = spec.listener_metadata
    _send(spec.listener_path, json.dumps(document).encode(), listener)


def _send(path: str, document: bytes, listener: int) -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.settimeout(_PATIENCE_S)
            agent.connect(path)
            sent = agent.sendmsg([document], rights)
            agent.sendall(document[sent:])
    except OSError as error:
        raise Precondition(
            f"cannot reach the seccomp agent: {error.strerror or error}",
            path,
            "linux.seccomp.listenerPath names it",
        ) from error
