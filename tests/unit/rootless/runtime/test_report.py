"""What the runtime says, and where."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.errors import CannotExecute, CommandNotFound, InvalidInput, RootlessError
from rootless.runtime import report


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record is one line of JSON with runc's members; stderr has plain words."""
    file = tmp_path / "log"
    report.configure(str(file), "json", debug=False)
    report.say(RootlessError("it failed", "x\ny", "do it"))
    record = json.loads(file.read_text())
    assert (record["level"], record["msg"]) == ("error", "it failed: x\ny (do it)")
    assert record["time"].endswith("Z")
    assert capsys.readouterr().err == "rootless-runtime: it failed: x\\ny (do it)\n"


def test_text(tmp_path: Path) -> None:
    """The text form is runc's; the file is added to."""
    file = tmp_path / "log"
    file.write_text("before\n")
    report.configure(str(file), "text", debug=True)
    logging.getLogger("rootless.x").debug('a "decision"')
    before, line = file.read_text().splitlines()
    assert before == "before"
    assert line.startswith('time="')
    assert line.endswith('" level=debug msg="a \\"decision\\""')


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CommandNotFound("gone", "x"), "gone: x: executable file not found in $PATH"),
        (CannotExecute("no", "x"), "no: x: permission denied"),
        (RootlessError("other", "x"), "other: x"),
    ],
)
def test_words_that_engines_look_for(
    error: RootlessError, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Podman tells 126 and 127 apart by them."""
    report.configure("", "text", debug=False)
    report.say(error)
    assert capsys.readouterr().err == f"rootless-runtime: {words}\n"


def test_refused(tmp_path: Path) -> None:
    """An unknown format and a file that cannot be written are errors of the caller's."""
    with pytest.raises(InvalidInput, match="unknown log format: xml"):
        report.configure("", "xml", debug=False)
    with pytest.raises(InvalidInput, match="cannot write the log: No such file"):
        report.configure(str(tmp_path / "none" / "log"), "text", debug=False)
