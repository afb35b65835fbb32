"""The descendants of an init that is not PID 1."""

import os
from pathlib import Path

from run_processes import is_alive

from rootless.runtime.descendants import Descendants


def test_all_end(tmp_path: Path) -> None:
    """Children and those whose parents have ended are killed and reaped, wherever they hide."""
    report = tmp_path / "pids"
    pid = os.fork()
    if pid == 0:
        descendants = Descendants()
        script = f"(setsid sleep 600 & echo $! >>{report}) & sleep 600 & echo $! >>{report}; wait"
        if os.fork() == 0:
            os.execvp("sh", ["sh", "-c", script])
        while not report.exists() or report.read_text().count("\n") < 2:
            os.sched_yield()
        descendants.end()
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            os._exit(7)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    left = [int(word) for word in report.read_text().split()]
    assert len(left) == 2
    assert not any(map(is_alive, left))
