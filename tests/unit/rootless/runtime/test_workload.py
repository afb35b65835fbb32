"""What a workload's process does up to its program."""

import json
import os
import signal
import subprocess
import sys

import pytest

from rootless.errors import RootlessError
from rootless.oci.runtime_spec import Process
from rootless.runtime.process import ProcessOptions, program_of
from rootless.runtime.workload import become, play, reset_signals, step


def test_nothing_is_ignored_or_blocked() -> None:
    """After it, no signal is ignored, blocked or handled, whatever was before."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        reset_signals()
        with open("/proc/self/status", encoding="ascii") as file:
            lines = dict(line.rstrip().split(":\t", 1) for line in file)
        ours = sum(1 << number - 1 for number in signal.valid_signals())
        clean = all(int(lines[name], 16) & ours == 0 for name in ("SigBlk", "SigIgn", "SigCgt"))
        os._exit(0 if clean else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_failure_that_matters_is_named() -> None:
    """A call that fails is an error where it has words for it, and passed over where not."""
    play([step("close", 999)])
    with pytest.raises(RootlessError, match=r"cannot close: Bad file descriptor: it \(look\)"):
        play([step("close", 999, what="cannot close", on="it", fix="look")])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("sh", "-c", "umask; pwd; echo $A; exit 3"), 3, ""),
        (("no-such-program",), 127, "CommandNotFound"),
        (("/etc/passwd",), 126, "CannotExecute"),
    ],
)
def test_a_process_becomes_its_program(
    words: tuple[str, ...], status: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The program that a spec's process makes is played in a child; a failure is told, once."""
    process = Process(args=words, cwd="/usr", env=("PATH=/usr/bin:/bin", "A=b"))
    program = program_of(process, ProcessOptions(set_groups=False))
    program["identity"] = []  # who is no root cannot change his IDs
    read_fd, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        become(
            program, {"report": report}, lambda told: os.write(report, json.dumps(told).encode())
        )
    os.close(report)
    with open(read_fd, "rb") as file:
        told = file.read()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == status
    assert (json.loads(told)["class"] if told else "") == said
    assert capfd.readouterr().out == ("0022\n/usr\nb\n" if not said else "")


def test_little_is_imported() -> None:
    """A client of the holder imports this module, and must not pay for more than it needs."""
    words = "import sys; before = set(sys.modules); import rootless.runtime.workload; "
    words += "print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", words], capture_output=True, text=True, check=True
    )
    others = {name for name in done.stdout.split() if not name.startswith("rootless")}
    assert others <= {"_ctypes", "errno"}
