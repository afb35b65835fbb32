"""Who comes in from outside, as PID 1 sees him; in place of PID 1 here is the test."""

import marshal
import os
import socket
from array import array

import pytest

from rootless.errors import RootlessError
from rootless.linux.channel import Channel
from rootless.runtime.visitor import Door, let_in, namespaces_here, open_namespaces


def test_the_namespaces_that_he_is_not_in() -> None:
    """Descriptors of the namespaces that differ, the user's first; of no others."""
    outside = {**namespaces_here(), "mount": 1, "user": 1, "ipc": 1}
    fds = open_namespaces(outside)
    named = [os.readlink(f"/proc/self/fd/{fd}").partition(":")[0] for fd in fds]
    assert named == ["user", "ipc", "mnt"]
    for fd in fds:
        os.close(fd)


def _come_in(door: socket.socket, record: dict[str, str] | None) -> int:
    """Be a visitor, in a child, who ends at once."""
    pid = os.fork()
    if pid == 0:
        data, fds, _, _ = socket.recv_fds(door, 65536, 8)
        assert marshal.loads(data) == {"program": {"args": ("x",)}, "terminal": False, "told": 1}
        with socket.socket(fileno=fds[0]) as report:
            own = array("i", [os.pidfd_open(os.getpid())])
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, own)]
            report.sendmsg([marshal.dumps(os.getpid())], rights)
            if record is not None:
                report.send(marshal.dumps(record))
        os._exit(0)
    return pid


def test_a_visitor_is_known_by_his_own_word() -> None:
    """His process ID and pidfd are his, also when he has ended before anybody looked."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours, theirs = Channel.pair()
    with there:
        pid = _come_in(there, None)
    ours.send({"door": True, "args": ["x"], "also": {"told": 1}}, [here.fileno()])
    here.close()
    found, pidfd = let_in(Door([os.open("/", os.O_PATH)]), {"args": ("y",)}, theirs)
    assert found == pid
    os.waitpid(pid, 0)
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as file:
        assert "Pid:\t-1\n" in file.read()
    os.close(pidfd)
    received = ours.receive()
    assert received is not None
    assert received[0] == {"started": True}
    (mounts,) = received[1]
    os.close(mounts)
    ours.close()
    theirs.close()


def test_what_keeps_him_out_is_an_error() -> None:
    """His own error is raised; one who leaves without a word is an error too."""
    record = RootlessError("it is closed", "door").to_record()
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours, theirs = Channel.pair()
    with there:
        pid = _come_in(there, record)
    with here:
        ours.send({"door": True, "args": None, "also": {"told": 1}}, [here.fileno()])
    with pytest.raises(RootlessError, match="it is closed: door"):
        let_in(Door([]), {"args": ("x",)}, theirs)
    os.waitpid(pid, 0)
    gone, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    other.close()
    with gone:
        ours.send({"door": True, "args": None, "also": {}}, [gone.fileno()])
    with pytest.raises(RootlessError, match="the caller has gone"):
        let_in(Door([]), {"args": ("x",)}, theirs)
    ours.shut_down()
    ours.close()
    with pytest.raises(RootlessError, match="nobody came in"):
        let_in(Door([]), {"args": ("x",)}, theirs)
    theirs.close()
