"""A reverse proxy of HTTP that injects faults and shapes the link, a program of its own.

In a test, before a registry (see `registries`):

    with fault_proxy(server.host, Fault("GET .*/blobs/", cut=1000, times=3)) as proxy:
        rootless("pull", "--tls-verify=false", f"{proxy.host}/debian:demo")
        proxy.set()                      # from here on without faults
        proxy.log()                      # what was asked, with the fields of each request

    with fault_proxy(server.host, bandwidth=12.5e6, delay=0.01) as proxy:    # 100 Mbit/s, 20 ms

The first fault whose `match`, a regular expression, is found in `METHOD /path?query` is applied; a
fault that has been applied `times` times is used up. The link has one bandwidth for all
connections, in each direction (`link`). With `certificate` and `key` it speaks TLS to its clients.
It also serves as a proxy proper, by `CONNECT` and by whole URLs, which all lead to the one server
behind it: so a test can call that by any name, with HTTP_PROXY.

By hand: python fault_proxy.py HOST:PORT [--bandwidth B] [--delay S] [--faults JSON]; the first line
on standard output is the port and the control port, where `set` and `log` go.
"""

import argparse
import contextlib
import json
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import trio
from http_messages import PIECE, Head, Reader
from link import Link


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a request that fits; several fields may be combined.

    Attributes:
        match: Regular expression for `METHOD /path?query`.
        times: To how many requests; 0 is all.
        skip: How many requests that fit are let pass before.
        status: Answer with this status, without asking the server; `headers` and `body` are its.
        headers: Fields of the answer, over the server's; an empty value takes one out.
        body: The body with `status`.
        cut: Close the connection after so many bytes of the body; -1 before the answer, -2 before
            the server is asked.
        request_cut: Close both connections after so many bytes of the request's body.
        longer: Say so many bytes more (or fewer, if negative) in Content-Length than there are.
        flip: Change the byte at this offset of the body.
        rate: Bytes a second of the body.
        stall: Send nothing for so many seconds, after `stall_at` bytes of the body.
        stall_at: Where.
        without: Fields of the request that the server does not get to see: `Range`.
    """

    match: str
    times: int = 0
    skip: int = 0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    cut: int | None = None
    request_cut: int | None = None
    longer: int = 0
    flip: int | None = None
    rate: float = 0.0
    stall: float = 0.0
    stall_at: int = 0
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultProxy:
    """A running proxy: `host` is `127.0.0.1:PORT`, in place of the server's."""

    host: str
    control: int

    def set(self, *faults: Fault) -> None:
        """Forget the faults so far; from now on these."""
        self._tell({"faults": [asdict(fault) for fault in faults]})

    def log(self) -> list[dict[str, Any]]:
        """Return the requests so far: `method`, `path`, `headers` (lower case), `status`."""
        answer: list[dict[str, Any]] = self._tell({})
        return answer

    def _tell(self, what: dict[str, Any]) -> Any:
        with (
            socket.create_connection(("127.0.0.1", self.control), 10) as connection,
            connection.makefile("rwb") as file,
        ):
            file.write(json.dumps(what).encode() + b"\n")
            file.flush()
            return json.loads(file.readline())


@contextlib.contextmanager
def fault_proxy(
    upstream: str,
    *faults: Fault,
    bandwidth: float = 0.0,
    delay: float = 0.0,
    certificate: Path | None = None,
    key: Path | None = None,
) -> Iterator[FaultProxy]:
    """Give a proxy before *upstream*, `HOST:PORT`; it ends with the block.

    Args:
        upstream: The server behind it, plain HTTP.
        faults: What it does from the beginning.
        bandwidth: Of the link, in bytes a second; 0 is no limit.
        delay: Of the link, in seconds one way.
        certificate: PEM file, for TLS.
        key: PEM file of its key.
    """
    words = [f"--bandwidth={bandwidth}", f"--delay={delay}"]
    if certificate is not None and key is not None:
        words += [f"--certificate={certificate}", f"--key={key}"]
    with subprocess.Popen(
        [sys.executable, __file__, upstream, *words], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            port, control = process.stdout.readline().split()
            proxy = FaultProxy(f"127.0.0.1:{int(port)}", int(control))
            proxy.set(*faults)
            yield proxy
        finally:
            process.kill()


@dataclass(slots=True)
class _Active:
    fault: Fault
    seen: int = 0


class _Proxy:
    def __init__(self, upstream: str, link: Link) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream = host, int(port)
        self._link = link
        self._faults: list[_Active] = []
        self._log: list[dict[str, Any]] = []

    async def control(self, stream: trio.SocketStream) -> None:
        """Take new faults, tell the log: a line each way."""
        line = b""
        while not line.endswith(b"\n"):
            line += await stream.receive_some(PIECE)
        document = json.loads(line)
        if "faults" in document:
            self._faults = [_Active(Fault(**each)) for each in document["faults"]]
        await stream.send_all(json.dumps(self._log).encode() + b"\n")

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection."""
        await self._link.arrive()
        try:
            async with trio.open_nursery() as nursery:
                near = self._link.shaped(stream, nursery)
                reader = Reader(near)
                with contextlib.suppress(_Cut):
                    while (head := await reader.head()) is not None:
                        await self._answer(head, reader, near)
                await near.aclose()
                nursery.cancel_scope.cancel()
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # one of the two has gone

    async def _answer(self, head: Head, reader: Reader, near: trio.abc.Stream) -> None:
        method, target, _ = head.first.split(" ")
        if method == "CONNECT":
            await self._tunnel(reader, near)
            raise _Cut
        if "://" in target:  # a proxy is asked by whole URL
            target = "/" + target.split("/", 3)[3]
        head.first = f"{method} {target} HTTP/1.1"
        fault = self._fault(f"{method} {target}")
        entry = {"method": method, "path": target, "headers": dict(head.fields), "status": 0}
        self._log.append(entry)
        if fault.status:
            async for _ in reader.body(head, to_end=False):
                pass
            data = fault.body.encode()
            fields = {"content-length": str(len(data)), **fault.headers}
            entry["status"] = fault.status
            await near.send_all(Head(f"HTTP/1.1 {fault.status} Fault", fields).to_bytes())
            await near.send_all(b"" if method == "HEAD" else data)
            return
        if fault.cut == -2:
            raise _Cut
        async with await trio.open_tcp_stream(*self._upstream) as far:
            await self._forward(head, reader, far, fault)
            answers = Reader(far)
            answer = await answers.head()
            assert answer is not None, "the server has gone"
            entry["status"] = int(answer.first.split(" ")[1])
            if fault.cut == -1:
                raise _Cut
            has_body = method != "HEAD" and entry["status"] not in (204, 304)
            await self._send(answer, answers, near, fault, has_body=has_body)

    def _fault(self, text: str) -> Fault:
        """Return what to do with a request."""
        for active in self._faults:
            fault = active.fault
            used_up = fault.times and active.seen >= fault.skip + fault.times
            if not used_up and re.search(fault.match, text):
                active.seen += 1
                if active.seen > fault.skip:
                    return fault
        return Fault("")

    async def _forward(
        self, head: Head, reader: Reader, far: trio.abc.Stream, fault: Fault
    ) -> None:
        """Send the request on."""
        fields = {
            name: value
            for name, value in head.fields.items()
            if name not in ("connection", "expect", *map(str.lower, fault.without))
        }
        await far.send_all(Head(head.first, {**fields, "connection": "close"}).to_bytes())
        left = fault.request_cut
        async for piece in reader.body(head, to_end=False):
            await far.send_all(piece if left is None else piece[:left])
            if left is not None:
                left -= min(left, len(piece))
                if not left:
                    raise _Cut

    async def _send(
        self,
        answer: Head,
        answers: Reader,
        near: trio.abc.Stream,
        fault: Fault,
        *,
        has_body: bool,
    ) -> None:
        """Send the answer back, with its faults."""
        to_end = not {"content-length", "transfer-encoding"} & answer.fields.keys() and has_body
        pieces = answers.body(Head("", dict(answer.fields)), to_end=to_end)
        answer.fields.pop("connection", None)
        if fault.longer:
            length = int(answer.fields["content-length"]) + fault.longer
            answer.fields["content-length"] = str(length)
        answer.fields |= {name.lower(): value for name, value in fault.headers.items()}
        answer.fields = {name: value for name, value in answer.fields.items() if value}
        if to_end or fault.longer:
            answer.fields["connection"] = "close"
        await near.send_all(answer.to_bytes())
        at = 0
        async with contextlib.aclosing(pieces):
            async for whole in pieces if has_body else _none():
                for piece in _split(whole, fault):
                    at = await self._send_piece(piece, at, near, fault)
        if to_end or fault.longer:
            raise _Cut

    async def _send_piece(self, piece: bytes, at: int, near: trio.abc.Stream, fault: Fault) -> int:
        """Send a piece of the body that begins at an offset; return the next one's."""
        end = at + len(piece)
        if fault.flip is not None and at <= fault.flip < end:
            changed = bytearray(piece)
            changed[fault.flip - at] ^= 0xFF
            piece = bytes(changed)
        if fault.stall and at <= fault.stall_at < end:
            await near.send_all(piece[: fault.stall_at - at])
            await trio.sleep(fault.stall)
            piece = piece[fault.stall_at - at :]
        if fault.cut is not None and fault.cut < end:
            await near.send_all(piece[: max(0, len(piece) - (end - fault.cut))])
            raise _Cut
        await near.send_all(piece)
        if fault.rate:
            await trio.sleep(len(piece) / fault.rate)
        return end

    async def _tunnel(self, reader: Reader, near: trio.abc.Stream) -> None:
        """Carry bytes both ways, for TLS through a proxy proper."""
        self._log.append({"method": "CONNECT", "path": "", "headers": {}, "status": 200})
        await near.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        async with (
            await trio.open_tcp_stream(*self._upstream) as far,
            trio.open_nursery() as nursery,
        ):

            async def carry(source: trio.abc.Stream, sink: trio.abc.Stream) -> None:
                while data := await source.receive_some(PIECE):
                    await sink.send_all(data)
                nursery.cancel_scope.cancel()

            nursery.start_soon(carry, near, far)
            nursery.start_soon(carry, far, near)


class _Cut(Exception):
    """The connection is to be closed."""


def _split(data: bytes, fault: Fault) -> Iterator[bytes]:
    """Yield a piece in smaller ones, where it has to pass slowly."""
    step = max(1, int(fault.rate / 20)) if fault.rate else max(1, len(data))
    for start in range(0, len(data), step):
        yield data[start : start + step]


async def _none() -> AsyncIterator[bytes]:
    """Yield nothing."""
    return
    yield b""


async def _main(options: argparse.Namespace) -> None:
    proxy = _Proxy(options.upstream, Link(options.bandwidth, options.delay))
    proxy._faults = [_Active(Fault(**each)) for each in json.loads(options.faults)]
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    (control,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listeners: list[Any] = [listener]
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
        listeners = [trio.SSLListener(listener, context, https_compatible=True)]
    print(listener.socket.getsockname()[1], control.socket.getsockname()[1], flush=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, proxy.serve, listeners)
        nursery.start_soon(trio.serve_listeners, proxy.control, [control])


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream")
    parser.add_argument("--bandwidth", type=float, default=0.0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--faults", default="[]")
    parser.add_argument("--certificate", default="")
    parser.add_argument("--key", default="")
    trio.run(_main, parser.parse_args())


if __name__ == "__main__":
    main()
