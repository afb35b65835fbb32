"""A container among the processes of others; its ends are made in tests/containers."""

import os
import signal
import subprocess
import time

import pytest

from rootless.containers import shared_pids
from rootless.containers.shared_pids import SharedPids, with_pids
from rootless.oci.linux_spec import LinuxSpec, Namespace
from rootless.oci.runtime_spec import Process, Spec


def test_spec() -> None:
    """The PID namespace of the spec is replaced, by a descriptor's or by one's own."""
    linux = LinuxSpec(namespaces=(Namespace("pid"), Namespace("user")))
    spec = Spec(process=Process(args=("true",)), linux=linux)
    found = with_pids(spec, 7).linux.namespaces
    assert found == (Namespace("user"), Namespace("pid", "/proc/self/fd/7"))
    found = with_pids(with_pids(spec, 7), -1).linux.namespaces
    assert found == (Namespace("user"), Namespace("pid", "/proc/self/ns/pid"))


def test_an_init_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its time to clean up, and is then killed."""
    monkeypatch.setattr(shared_pids, "_PATIENCE_S", 0.3)
    with subprocess.Popen(["sleep", "600"]) as process:
        pidfd = os.pidfd_open(process.pid)
        shared = SharedPids(process.pid, pidfd)
        shared.serve()
        assert shared.patience_ms() is not None  # there is no workload to look at
        shared.wind_up()
        shared.serve()
        assert process.poll() is None
        time.sleep(0.35)
        shared.serve()
        assert process.wait() == -signal.SIGKILL
        os.close(pidfd)
        shared.end()
