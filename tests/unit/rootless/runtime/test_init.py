"""PID 1: which signals go to whom, and with what status it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rootless.linux.channel import Channel
from rootless.runtime import init

# Two processes of one group; each says which signal ended its sleep.
_PROGRAM = """
import os, signal, sys
child = os.fork()
def tell(number, frame):
    os.write(1, b"%s %d\\n" % (b"child" if child == 0 else b"workload", number))
    os._exit(0)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGQUIT):
    signal.signal(number, tell)
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""


@pytest.fixture
def workload() -> Iterator["subprocess.Popen[str]"]:
    """A workload with a child, in a session of its own, both ready."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", _PROGRAM],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
        yield process
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_signals_of_a_terminal_go_to_the_group(
    workload: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    """Ctrl-C reaches everything in the foreground, as it would on a terminal."""
    assert workload.stdout is not None
    init.forward(workload.pid, number)
    lines = sorted(workload.stdout.readline() for _ in range(2))
    assert lines == [f"child {int(number)}\n", f"workload {int(number)}\n"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_other_signals_go_to_the_workload(
    workload: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    """SIGTERM means the workload; its children are its own affair."""
    assert workload.stdout is not None
    init.forward(workload.pid, number)
    assert workload.stdout.readline() == f"workload {int(number)}\n"
    os.killpg(workload.pid, signal.SIGKILL)
    assert workload.stdout.readline() == ""


def test_nobody_to_signal() -> None:
    """A workload that has ended meanwhile is no error."""
    with subprocess.Popen(["true"], start_new_session=True) as process:
        process.wait()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGSTOP):
        init.forward(process.pid, number)


@pytest.fixture
def signals() -> Iterator[init.SignalPipe]:
    """A pipe of signals; this process's own handlers come back."""
    numbers = (*init._FORWARDED, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    wakeup = signal.set_wakeup_fd(-1)
    pipe = init.SignalPipe()
    yield pipe
    signal.set_wakeup_fd(wakeup)
    for number, handler in before.items():
        signal.signal(number, handler)
    for fd in pipe.fds():
        os.close(fd)


def test_signals_become_bytes(signals: init.SignalPipe) -> None:
    """Each that has come is read once; none is no wait."""
    assert signals.take() == b""
    os.kill(os.getpid(), signal.SIGUSR1)
    assert signals.take() == bytes([signal.SIGUSR1])
    assert signals.take() == b""
    assert not any(os.get_inheritable(fd) for fd in signals.fds())


@pytest.mark.parametrize(
    ("script", "status"), [("exit 7", 7), ("kill -TERM $$", 128 + 15), ("kill -KILL $$", 128 + 9)]
)
def test_status_is_the_workload_s(signals: init.SignalPipe, script: str, status: int) -> None:
    """It ends with the workload's status, 128+N for signal N."""
    ours, theirs = Channel.pair()
    with subprocess.Popen(["sh", "-c", script], start_new_session=True) as process:
        assert init.supervise(process.pid, theirs, signals, None) == status
        process.returncode = 0  # reaped by supervise
    ours.close()
    theirs.close()


def test_runner_s_signal_arrives_and_its_end_is_the_end(signals: init.SignalPipe) -> None:
    """Its `{"signal": N}` goes to the workload, other messages nowhere; its end is SIGKILL's."""
    ours, theirs = Channel.pair()
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        ours.send({"signal": "TERM"})
        ours.send({})
        ours.send({"signal": int(signal.SIGTERM)})
        assert init.supervise(process.pid, theirs, signals, None) == 128 + 15
        process.returncode = 0
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        ours.close()
        assert init.supervise(process.pid, theirs, signals, None) == 128 + 9
        process.kill()
    theirs.close()
