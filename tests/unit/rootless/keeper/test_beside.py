"""A keeper that is forked beside another, when what they share has been made."""

import marshal
import os
import select
import socket
from pathlib import Path

import pytest
from run_processes import parent_of

from rootless.keeper.beside import end_after, fork_beside


def test_it_is_nobody_s_child_and_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder gets its number, an end to it and its pidfd; it is where it was before."""
    monkeypatch.chdir(tmp_path)
    holder, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    undone: list[bool] = []

    def work(own: socket.socket) -> None:
        own.send(marshal.dumps((os.getpid(), os.getcwd(), undone)))
        own.recv(1)

    fork_beside(end, lambda: undone.append(True), work)
    data, fds, _, _ = socket.recv_fds(holder, 100, 2)
    pid = marshal.loads(data)["beside"]
    assert parent_of(pid) != os.getpid()
    assert not undone
    with socket.socket(fileno=fds[0]) as ours:
        assert marshal.loads(ours.recv(1000)) == (pid, "/", [True])
    poll = select.poll()
    poll.register(fds[1], select.POLLIN)
    assert poll.poll(10_000), "it lives on without the holder's end"
    os.close(fds[1])
    holder.close()
    end.close()
    assert Path.cwd() == tmp_path


def test_what_goes_wrong_ends_the_process() -> None:
    """Nothing comes back into the code of who forked."""

    def wrong() -> None:
        raise KeyError

    for work, status in ((wrong, 1), (lambda: None, 0)):
        pid = os.fork()
        if pid == 0:
            end_after(work)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == status
