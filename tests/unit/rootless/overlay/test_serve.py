"""Starting a server that cannot serve; one that can is tested in tests/mounted."""

import os
from pathlib import Path

import pytest

from fuse.server_config import ServerConfig
from rootless.errors import OverlayError
from rootless.overlay.serve import Server, start_server


def config(folder: Path, **changes: object) -> ServerConfig:
    """Return what a server of no tree would serve."""
    values: dict[str, object] = {
        "mountpoint": str(folder),
        "tree": str(folder / "no-tree"),
        "layers": (),
        "ready_fd": -1,
        "log_path": str(folder / "server.log"),
    }
    return ServerConfig(**{**values, **changes})  # type: ignore[arg-type]


def test_what_the_server_says_is_the_error(tmp_path: Path) -> None:
    """A server that cannot open its tree ends, and its reason is the error's."""
    with pytest.raises(OverlayError, match="could not mount the image") as caught:
        start_server(config(tmp_path))
    assert "no-tree" in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder for the log that is missing is an OSError with its path; nothing stays open."""
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError, match="missing"):
        start_server(config(tmp_path, log_path=str(tmp_path / "missing/server.log")))
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize(
    ("log", "words"),
    [(b"", ""), (b"one\ntwo\n", "two"), (b"x" * 9000 + b"\nlast \xff\n", "last �")],
)
def test_last_words(tmp_path: Path, log: bytes, words: str) -> None:
    """The last line of the log is what is shown of a server that died."""
    path = tmp_path / "server.log"
    path.write_bytes(log)
    assert Server(None, -1, -1, str(path)).last_words() == words  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["", "/no/such/log"])
def test_no_last_words(path: str) -> None:
    """Without a log there are none."""
    assert Server(None, -1, -1, path).last_words() == ""  # type: ignore[arg-type]
