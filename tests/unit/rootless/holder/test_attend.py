"""A client beside its workload, with the test in place of the keeper; real runs: tests/holder."""

import marshal
import os
import signal
import socket
import subprocess
import sys

import pytest
from signals_at_start import lost

from rootless.containers import foreground
from rootless.errors import RootlessError
from rootless.holder import attend

# In a process of its own, as signals are a process's.
SCRIPT = """
import os, socket, sys
from rootless.errors import RootlessError
from rootless.holder.attend import Attendance, signals_for
from rootless.runtime.workload import reset_signals

door = socket.socket(fileno=int(sys.argv[1]))
with signals_for(own_session=sys.argv[2] == "session") as signals:
    runs, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        reset_signals()
        os.execvp("sleep", ["sleep", "600"])
    os.close(report)
    os.read(runs, 1)
    door.send(str(pid).encode())
    try:
        print(Attendance(door, pid, signals, None).run())
    except RootlessError as error:
        print(error)
"""


class Client:
    """A client in a process of its own, and its workload."""

    def __init__(self, kind: str) -> None:
        self.door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.door.settimeout(20)
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(theirs.fileno()), kind],
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[theirs.fileno()],
            process_group=0,
        )
        theirs.close()
        self.workload = int(self.door.recv(100))

    def told(self) -> object:
        """Return what it tells its keeper."""
        return marshal.loads(self.door.recv(100))

    def finish(self) -> str:
        """Return what it says at its end."""
        said, _ = self.process.communicate(timeout=20)
        self.door.close()
        return said


def test_the_numbers_are_those_of_every_other_run() -> None:
    """They stand for names that cost an import."""
    assert set(attend.FORWARDED) == set(foreground._TAKEN)
    assert set(attend._ENDING) == set(foreground._ENDING)


def test_it_passes_signals_on_and_tells_the_end() -> None:
    """A stop becomes one that stops an orphaned group; the end is told, and waited for."""
    client = Client("session")
    client.process.send_signal(signal.SIGTSTP)
    assert client.told() == {"signal": signal.SIGSTOP}
    client.process.send_signal(signal.SIGUSR1)
    assert client.told() == {"signal": signal.SIGUSR1}
    os.kill(client.workload, signal.SIGTERM)
    assert client.told() == {"status": 143, "pid": client.workload}
    client.door.send(marshal.dumps({"gone": True}))
    assert client.finish() == f"{-signal.SIGTERM}\n"


def test_a_job_stops_with_its_workload() -> None:
    """What was sent to it is passed on; a workload that stops stops it, until both go on."""
    client = Client("job")
    client.process.send_signal(signal.SIGTSTP)
    assert client.told() == {"signal": signal.SIGTSTP}
    os.kill(client.workload, signal.SIGSTOP)
    _, status = os.waitpid(client.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert os.WSTOPSIG(status) == signal.SIGTSTP
    os.killpg(client.process.pid, signal.SIGCONT)
    assert client.told() == {"signal": signal.SIGCONT}
    os.kill(client.workload, signal.SIGKILL)
    assert client.told() == {"status": 137, "pid": client.workload}
    client.door.send(marshal.dumps({"gone": True}))
    assert client.finish() == f"{-signal.SIGKILL}\n"


@pytest.mark.parametrize("message", [None, RootlessError("it is closed", "door").to_record()])
def test_what_goes_wrong(message: dict[str, str] | None) -> None:
    """An error that the keeper tells is raised; its own end is one."""
    client = Client("session")
    if message is not None:
        client.door.send(marshal.dumps({"error": message}))
    os.kill(client.workload, signal.SIGKILL)
    assert client.told() == {"status": 137, "pid": client.workload}
    if message is not None:
        client.door.send(marshal.dumps({"gone": True}))
    else:
        client.door.shutdown(socket.SHUT_RDWR)
    said = client.finish()
    assert said == ("it is closed: door\n" if message else said)
    assert message is not None or "its keeper was killed" in said


def test_none_is_lost_at_the_start() -> None:
    """A SIGINT at whatever line of the start raises KeyboardInterrupt, or comes out."""
    make = "from rootless.holder.attend import SignalPipe; pipe = SignalPipe()"
    assert lost(make) == "none lost"
