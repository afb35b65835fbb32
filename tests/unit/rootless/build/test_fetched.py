"""`rootless.build.fetched`: files that ADD fetches, and servers that do not give them."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import copying
import pytest

from rootless.build import fetched
from rootless.errors import BuildError

CONTENT = b"content " * 1000


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = {"/gone": 404, "/moved": 302, "/round": 302}.get(self.path, 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/round" if self.path == "/round" else "/d/f%20x?token=1")
        if self.path.startswith("/d/"):
            self.send_header("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
        body = CONTENT if status == 200 else b""
        self.send_header("Content-Length", str(len(body) + (100 if self.path == "/cut" else 0)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run a server; give its address."""
    server = HTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def no_context(stage: copying.Stage, tmp_path: Path) -> copying.ContextFolder:
    """A context with nothing in it."""
    return stage.context(tmp_path / "c")


def test_a_file(stage: copying.Stage, no_context: copying.ContextFolder, address: str) -> None:
    """It has the name, the time and the digest that it must have; nothing stays in the store."""
    digest = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    shown = CONTENT[:60].decode()
    assert stage.do(f"ADD {address}/d/f%20x /new/", no_context) == [
        "folder 755 0:0 new",
        f"file 600 0:0 new/f x = {shown}",
    ]
    text = f"ADD --checksum={digest} --chmod=644 --chown=5 {address}/moved /name"
    assert stage.do(text, no_context) == [f"file 644 5:5 name = {shown}"]
    assert stage.plan(text, no_context).fingerprint == digest
    assert stage.plan(f"ADD {address}/moved /x", no_context).fingerprint == ""
    loose = fetched.fetch(f"{address}/d/f", "", stage.store.root)
    assert loose.picked.node.mtime_ns == 1_700_000_000 * 10**9


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/gone /x", "cannot be fetched: http://127.0.0.1:[0-9]+/gone: status 404"),
        ("/round /x", "cannot be fetched: .*redirect"),
        ("/cut /x", "cannot be fetched: .*/cut: "),
        ("/ /x", "no name of a file in the address"),
    ],
)
def test_what_is_not_given(
    stage: copying.Stage,
    no_context: copying.ContextFolder,
    address: str,
    path: str,
    message: str,
) -> None:
    """One line with file, line and the reason."""
    with pytest.raises(BuildError, match=f"^Containerfile:1: {message}"):
        stage.do(f"ADD {address}{path}", no_context)


def test_what_is_another(
    stage: copying.Stage,
    no_context: copying.ContextFolder,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another digest, and more bytes than anybody wants; no password is in an error."""
    wrong = "sha256:" + "0" * 64
    host = address.removeprefix("http://")
    with pytest.raises(BuildError, match=f"wrong digest of what was fetched: {address}/f ") as info:
        stage.do(f"ADD --checksum={wrong} http://me:secret@{host}/f /x", no_context)
    assert "secret" not in str(info.value)
    monkeypatch.setattr(fetched, "_MAX_BYTES", 10)
    with pytest.raises(BuildError, match="too large to be added"):
        stage.do(f"ADD {address}/f /x", no_context)
    with pytest.raises(BuildError, match="cannot be fetched"):
        stage.do("ADD http://127.0.0.1:1/f /x", no_context)
