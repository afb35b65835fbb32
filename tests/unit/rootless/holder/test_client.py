"""The client's own decisions; its runs are in tests/holder."""

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.holder import client, place, start


def test_other_commands_are_not_for_a_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither another command nor one with the holder switched off looks for one."""
    monkeypatch.setattr(place, "context", lambda: pytest.fail("it looked"))
    assert client.run(["ps"]) is None
    monkeypatch.setenv("ROOTLESS_HOLDER", "off")
    assert client.run(["run", "image"]) is None


@pytest.mark.parametrize("mode", ["", "wait"])
def test_none_is_wanted_where_its_socket_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """With a path that is too long for a socket the ordinary way is taken, and none is started."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("ROOTLESS_HOLDER", mode)
    monkeypatch.setattr(start, "spawn", lambda *_: pytest.fail("it started one"))
    assert client.run(["run", "image"]) is None
    assert not start.is_wanted()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose sockets have paths of the length that a socket's may have (unix(7))."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize("answer", [b"", b"{\xda\x02noz\x03why0"])
def test_without_an_answer_the_ordinary_way_is_taken(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """A holder that ends or declines makes no error, and none is started beside it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    monkeypatch.delenv("ROOTLESS_HOLDER", raising=False)
    folder = Path(place.folder_for(str(short_folder / "rootless"), place.context()))
    folder.mkdir(parents=True)
    (short_folder / "rootless").chmod(0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(folder / "door"))
        listener.listen()

        def serve() -> None:
            end, _ = listener.accept()
            with end:
                for fd in socket.recv_fds(end, 300_000, 3)[1]:
                    os.close(fd)
                if answer:
                    end.send(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert client.run(["run", "image"]) is None
        thread.join()
    assert not start.is_wanted()
