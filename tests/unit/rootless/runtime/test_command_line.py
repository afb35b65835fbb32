"""The runtime's command line: what it says, and its status."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless import __version__
from rootless.runtime.command_line import main
from rootless.runtime.status_file import StateFolder


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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required: VERB (see 'rootless-runtime --help')"),
        (["none"], "invalid choice: 'none'"),
        (["start"], "required: ID (see 'rootless-runtime start --help')"),
        (["state", "../x"], "not a container ID: ../x (letters, digits and _ + - . make one)"),
        (["state", "a/b"], "not a container ID: a/b"),
        (["state", "c"], "no such container: c"),
        (["--log-format=xml", "list"], "unknown log format: xml (text or json)"),
        (["list", "--format=xml"], "unknown format: xml (table or json)"),
        (["kill", "c", "NOTHING"], "unknown signal: NOTHING"),
        (["create", "--bundle=/none", "c"], "not a bundle: it has no config.json: /none"),
        (["exec", "c"], "no such container: c"),
        (["exec", "--preserve-fds=x", "c", "true"], "invalid int value: 'x'"),
        (["exec", "--process=/none", "c"], "no such file: /none"),
    ],
)
def test_misuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    """Every misuse is status 125 and one line on stderr."""
    assert main(["--root", str(tmp_path / "root"), *words]) == 125
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rootless-runtime: ")
    assert err.count("\n") == 1
    assert says in err
    assert not (tmp_path / "root").exists()


def test_the_log_has_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--log is where an engine reads what went wrong."""
    log = tmp_path / "log"
    words = ["--root", str(tmp_path), "--log", str(log), "--log-format", "json", "state", "c"]
    assert main(words) == 125
    assert json.loads(log.read_text())["msg"] == "no such container: c"
    assert "no such container: c" in capsys.readouterr().err


def test_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """state, list and features answer on stdout, in JSON where that is asked for."""
    with StateFolder.make(tmp_path, "c", Path("/bundle"), b"{}"):
        assert main(["--root", str(tmp_path), "state", "c"]) == 0
        assert json.loads(capsys.readouterr().out)["status"] == "creating"
    assert main(["--root", str(tmp_path), "list", "-q"]) == 0
    assert capsys.readouterr().out == "c\n"
    assert main(["--root", str(tmp_path), "list"]) == 0
    title, line = capsys.readouterr().out.splitlines()
    assert title.index("STATUS") == line.index("stopped")
    assert main(["--root", str(tmp_path), "list", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["bundle"] == "/bundle"
    assert main(["features"]) == 0
    assert "linux" in json.loads(capsys.readouterr().out)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Podman reads the version's lines."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.splitlines() == [
        f"rootless-runtime version {__version__}",
        "spec: 1.0.2",
    ]
