"""Names of signals, and signals to real processes."""

import signal
import subprocess
from pathlib import Path

import pytest

from rootless.errors import Conflict, InvalidInput, NotFound
from rootless.runtime.kill import kill, parse_signal
from rootless.runtime.status_file import StateFolder


@pytest.mark.parametrize("number", sorted(signal.Signals))
def test_every_name_of_a_signal(number: signal.Signals) -> None:
    """With and without SIG, in any case, or as a number."""
    for text in (
        number.name,
        number.name.removeprefix("SIG"),
        number.name.lower(),
        str(int(number)),
    ):
        assert parse_signal(text) == number


@pytest.mark.parametrize("text", ["", "0", "65", "-1", "NOTHING", "SIG", "_DFL", "SIG_IGN", "٣"])
def test_no_signal(text: str) -> None:
    """What is none is refused; the words of the module beside them are none."""
    with pytest.raises(InvalidInput, match="unknown signal"):
        parse_signal(text)


@pytest.mark.parametrize("everyone", [False, True])
def test_it_arrives_once(tmp_path: Path, *, everyone: bool) -> None:
    """The process ends by the signal; a second one has nobody to go to."""
    with subprocess.Popen(["sleep", "600"]) as process:
        with StateFolder.make(tmp_path, "c", Path("/"), b"{}") as folder:
            folder.set_process(process.pid, {})
        kill(tmp_path, "c", signal.SIGUSR1, everyone=everyone)
        assert process.wait(10) == -signal.SIGUSR1
    with pytest.raises(Conflict, match="cannot signal a container that is stopped: c"):
        kill(tmp_path, "c", signal.SIGUSR1)
    kill(tmp_path, "c", signal.SIGUSR1, everyone=True)


def test_who_is_not_there(tmp_path: Path) -> None:
    """No container, and one that is being made, get no signal."""
    with pytest.raises(NotFound):
        kill(tmp_path, "c", signal.SIGTERM)
    with (
        StateFolder.make(tmp_path, "c", Path("/"), b"{}"),
        pytest.raises(Conflict, match="cannot signal a container that is creating"),
    ):
        kill(tmp_path, "c", signal.SIGTERM)
