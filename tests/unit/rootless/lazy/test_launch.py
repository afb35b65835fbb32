"""`rootless.lazy.launch`: a fetcher is started where there is something to fetch, and ends."""

import fcntl
import os
import socket
import struct
from pathlib import Path

import images
import lazies
import pytest

from rootless.errors import InvalidInput, NotFound
from rootless.image.store import Store
from rootless.lazy.launch import patience_s, start_beside

MADE = lazies.made(images.LayerBuilder().file("file", os.urandom(5000)))


def test_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a number of seconds out of the environment, 10 by default."""
    monkeypatch.delenv("ROOTLESS_LAZY_PATIENCE", raising=False)
    assert patience_s() == 10
    monkeypatch.setenv("ROOTLESS_LAZY_PATIENCE", "2.5")
    assert patience_s() == 2.5
    for text in ("0", "-1", "soon", "nan", "1e9"):
        monkeypatch.setenv("ROOTLESS_LAZY_PATIENCE", text)
        with pytest.raises(InvalidInput, match="ROOTLESS_LAZY_PATIENCE"):
            patience_s()


def test_nothing_to_fetch(store: Store, tmp_path: Path) -> None:
    """With ordinary layers nothing is started."""
    tar, tree = tmp_path / "tar", tmp_path / "tree"
    tar.touch()
    tree.touch()
    there, fetcher = start_beside(store, tree, [tar], tmp_path / "log")
    assert fetcher is None
    assert (there.tree, there.layers) == (tree, (tar,))


def test_it_ends_with_the_server(store: Store, tmp_path: Path) -> None:
    """The folder is locked until it is let go; with the server's end the fetcher goes."""
    folder = MADE.staged(store)
    tree = tmp_path / "tree"
    tree.touch()
    _, fetcher = start_beside(store, tree, [folder / "layer-chunks"], tmp_path / "log")
    assert fetcher is not None
    try:
        other = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fetcher.let_go()
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
        server = socket.socket(fileno=os.dup(fetcher.server_fd))
        fetcher.give_server_end()
        with server:
            server.sendall(struct.pack("<IIQQ", 9, 1, 0, 1))  # whatever it is, it is answered
            assert len(server.recv(100)) == 16
            assert fetcher.process.poll() is None
        assert fetcher.process.wait(5) == 0
    finally:
        fetcher.stop()
    assert (tmp_path / "log").read_text()


def test_a_layer_that_has_gone(store: Store, tmp_path: Path) -> None:
    """A layer that is in no form there is told of."""
    gone = store.lazy_folder(MADE.diff_id) / "layer-chunks"
    with pytest.raises(NotFound, match="layer missing"):
        start_beside(store, tmp_path / "tree", [gone], tmp_path / "log")
