"""An upload that goes on in the middle of a chunk.

docker-registry forgets an upload whose chunk was cut, so the registry here is one of ours: it keeps
what has arrived, says so when it is asked (distribution-spec, "Pushing a blob in chunks"), and
takes a chunk only where it fits. The uploads that docker-registry does take are in `test_faults`.
"""

import io
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asking import QUICK, asked

from rootless.oci.digest import sha256_of
from rootless.registry.repository import Repository
from rootless.registry.settings import Settings


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def _answer(self, status: int, **fields: str) -> None:
        self.server.log.append(f"{self.command} {status}")
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self._answer(202, Location="/upload")  # relative, and not below /v2/

    def do_GET(self) -> None:
        have = len(self.server.stored)
        self._answer(204, Location="/upload?asked", Range=f"0-{max(0, have - 1)}")

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_PATCH(self) -> None:
        match = re.fullmatch(r"(\d+)-(\d+)", self.headers["Content-Range"])
        assert match is not None
        size = int(self.headers["Content-Length"])
        assert int(match[2]) - int(match[1]) + 1 == size
        if int(match[1]) != len(self.server.stored):
            self._answer(416)
            return
        cut = self.server.cuts.pop(0) if self.server.cuts else size
        self.server.stored += self.rfile.read(min(size, cut))
        if cut < size:
            self.server.log.append("PATCH cut")
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(202, Location="/upload", Range=f"0-{len(self.server.stored) - 1}")

    def do_PUT(self) -> None:
        self._answer(201)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def __init__(self, cuts: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cuts = cuts
        self.stored = b""
        self.log: list[str] = []


@contextmanager
def serving(cuts: list[int]) -> Iterator[_Server]:
    """Give a registry that cuts its first chunks after so many bytes."""
    with _Server(cuts) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_it_goes_on_where_it_was_cut() -> None:
    """What has arrived is not sent again; the source is opened where it goes on."""
    data = os.urandom(20_000_000)
    opened: list[int] = []

    def open_at(offset: int) -> io.BytesIO:
        opened.append(offset)
        return io.BytesIO(data[offset:])

    async def use(repository: Repository) -> None:
        await repository.upload_blob(sha256_of(data), len(data), open_at)

    with serving([5_000_000, 1_000_000]) as server:
        settings = Settings(tls_verify=False, retry=QUICK)
        asked(f"127.0.0.1:{server.server_port}/x:1", settings, use)
        assert server.stored == data
        cut = ["PATCH cut", "GET 204"]
        assert server.log == ["POST 202", *cut, *cut, "PATCH 202", "PUT 201"]
        assert opened == [0, 5_000_000, 6_000_000]
