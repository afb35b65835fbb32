"""The descendants of an init that is not PID 1 of its namespace: adopted, and ended with it.

Whose parent ends becomes a child of this process (PR_SET_CHILD_SUBREAPER, prctl(2)), so that its
children are all that has to be signalled, again and again until there are none. Nobody else can
get their process IDs before they have been waited for.
"""

import contextlib
import os
import signal
import time

from rootless.errors import OverlayError
from rootless.linux import prctl

_MOST_BYTES = 1 << 16
_POLL_S = 0.01


class Descendants:
    """Those of the calling process, which has one thread; made before it forks."""

    def __init__(self) -> None:
        prctl.set_child_subreaper()
        # Ending them takes time: that the parent is gone is learnt by the end of a channel.
        prctl.clear_parent_death_signal()
        pid = os.getpid()
        self._fd = open_own_proc(f"/proc/{pid}/task/{pid}/children")

    def end(self) -> None:
        """Kill them all and wait for their end."""
        while True:
            for word in os.pread(self._fd, _MOST_BYTES, 0).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(word), signal.SIGKILL)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    continue
            except ChildProcessError:
                return
            time.sleep(_POLL_S)


def open_own_proc(path: str) -> int:
    """Open something in the /proc of this process's PID namespace, before a workload mounts there.

    Raises OverlayError where /proc is that of another one, or of nobody.
    """
    try:
        if os.readlink("/proc/self") == str(os.getpid()):
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        pass
    raise OverlayError(
        "without a PID namespace of its own the container needs the /proc of the one it is in",
        "/proc",
        "leave --pid out, or the volume on /proc",
    )
