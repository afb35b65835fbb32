"""Whether a pipe for signals loses one that comes while it is being set up."""

import subprocess
import sys


def lost(make: str) -> str:
    """Send SIGINT at each line of `__enter__`; return "none lost", or how many came out.

    Args:
        make: Statements that leave a pipe under the name `pipe`.
    """
    words = [sys.executable, "-c", f"{make}\n{_AT_EACH_LINE}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


# A trace function, which coverage has as well: so in a process of its own.
_AT_EACH_LINE = """
import os, signal, sys
sent = raised = 0
def trace(frame, event, _):
    global sent
    if frame.f_code.co_name == "__enter__" and event == "line":
        sent += 1
        os.kill(os.getpid(), signal.SIGINT)
    return trace
def note(*_):
    global raised
    raised += 1
signal.signal(signal.SIGINT, note)
sys.settrace(trace)
pipe.__enter__()
sys.settrace(None)
came = len(bytes(pipe.take()))
print("none lost" if 3 < sent <= raised + came else (sent, raised, came))
"""
