"""Who is in a mount namespace; containers that end so are seen in tests/holder."""

import os
import signal

from rootless.runtime.mount_mates import end_all


def test_nobody_else_is_ended() -> None:
    """One in another mount namespace goes on."""
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    proc_fd = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        end_all(read_fd, proc_fd)  # what nobody is in
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for fd in (read_fd, write_fd, proc_fd):
            os.close(fd)
