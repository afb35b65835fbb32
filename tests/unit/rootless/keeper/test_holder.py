"""The holder's loop, with a stand-in for a client."""

import marshal
import os
import signal
import socket
from pathlib import Path

from rootless.holder import place
from rootless.keeper.holder import Holder


def test_it_answers_and_ends_by_itself(tmp_path: Path) -> None:
    """What a keeper cannot serve is declined; after the last use it goes, and its keepers."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        holder = Holder(str(tmp_path), 0.2)
        holder.open()
        holder.serve()
        holder.close()
        os._exit(0)
    door = tmp_path / place.DOOR
    while not door.exists():
        pass
    for _ in range(2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
            end.connect(str(door))
            request = {"words": ["run", "--bundle", "x"], "environ": {}, "umask": 0o22, "tty": ""}
            with open(os.devnull, "w") as null:
                cwd = os.open("/", os.O_PATH)
                socket.send_fds(end, [marshal.dumps(request)], [cwd, null.fileno()])
                os.close(cwd)
            assert marshal.loads(end.recv(65536)) == {"no": "bundle"}
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
