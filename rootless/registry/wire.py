"""Requests over HTTP: connections by host, each with the TLS and the proxy that are its own.

Nothing here follows a redirect, adds a credential or tries again; the environment is not read. It
is httpx without its client, which would look at redirects, keep cookies, log in with what a URL has
in it, and write whole URLs into the log, signatures of storage services included.
"""

import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Mapping

import httpx
import trio

from rootless import __version__
from rootless.errors import RegistryError
from rootless.registry.failures import shown
from rootless.registry.settings import Settings

_HEADERS = {
    "User-Agent": f"rootless/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}
_LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=15)
_MAX_ERROR_BYTES = 64 << 10


class Wire:
    """The connections of one command. Close it.

    Args:
        settings: Certificates, proxies, patience.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        logging.getLogger("httpcore").setLevel(logging.INFO)  # its DEBUG lines show header fields
        self._transports: dict[tuple[str, str, bool], httpx.AsyncHTTPTransport] = {}
        self._contexts: dict[tuple[str, bool], ssl.SSLContext] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        transports = list(self._transports.values())
        self._transports.clear()
        for transport in transports:
            await transport.aclose()

    async def send(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: httpx.AsyncByteStream | bytes | None = None,
        *,
        domain: str = "",
        verify: bool = True,
    ) -> httpx.Response:
        """Send a request; return the response when its headers are there. The caller closes it.

        Args:
            method: HTTP's.
            url: Absolute.
            headers: Fields besides the usual ones.
            content: The body.
            domain: Under which name the host's certificates are kept; its own by default.
            verify: Whether its certificate is checked.

        Raises:
            httpx.RequestError: No answer.
            RegistryError: The URL is none to be asked.
        """
        if url.scheme not in ("http", "https") or not url.host:
            raise RegistryError("registry leads to no usable URL", shown(url))
        patience = self._settings.patience
        timeout = httpx.Timeout(patience.silence, connect=patience.connect, pool=None)
        request = httpx.Request(
            method,
            url,
            headers={**_HEADERS, **headers},
            content=content if isinstance(content, bytes) else None,
            extensions={"timeout": timeout.as_dict()},
        )
        if isinstance(content, httpx.AsyncByteStream):
            request.stream = content  # as `content` it would be wrapped into a generator
        transport = self._transport(url, domain or url.netloc.decode("ascii"), verify=verify)
        response = await transport.handle_async_request(request)
        response.request = request
        return response

    def _transport(self, url: httpx.URL, domain: str, *, verify: bool) -> httpx.AsyncHTTPTransport:
        key = f"{url.scheme}://{url.netloc.decode('ascii')}", domain, verify
        transport = self._transports.get(key)
        if transport is None:
            transport = self._transports[key] = httpx.AsyncHTTPTransport(
                verify=self._context(domain, verify=verify and url.scheme == "https"),
                limits=_LIMITS,
                proxy=self._proxy(url),
                trust_env=False,
            )
        return transport

    def _proxy(self, url: httpx.URL) -> httpx.Proxy | None:
        proxy = self._settings.proxies.of(str(url))
        if not proxy:
            return None
        context = self._context("") if proxy.startswith("https:") else None
        return httpx.Proxy(proxy, ssl_context=context)

    def _context(self, domain: str, *, verify: bool = True) -> ssl.SSLContext:
        certificates = self._settings.certificates
        if not domain or certificates.of(domain) is None:
            domain = ""  # reading all CAs takes some 20 ms: once for all who have no others
        context = self._contexts.get((domain, verify))
        if context is None:
            context = certificates.context(domain, verify=verify)
            self._contexts[domain, verify] = context
        return context


async def read_bounded(response: httpx.Response, limit: int) -> bytes | None:
    """Return a response's body, None where it is longer than *limit*; the response is closed."""
    parts: list[bytes] = []
    size = 0
    chunks = chunks_of(response)
    try:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                return None
            parts.append(chunk)
    finally:
        await end(response, chunks)
    return b"".join(parts)


def chunks_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return a response's body as it came over the wire; give it to `end` afterwards."""
    return response.aiter_raw()


async def end(response: httpx.Response, chunks: AsyncIterator[bytes]) -> None:
    """Close a response that may not have been read to its end.

    Its chunks come through a chain of generators. Asked once more, when the connection is gone,
    they end one after the other; left alone, the garbage collector would complain of each.
    """
    with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
        await response.aclose()
        with contextlib.suppress(httpx.HTTPError, httpx.StreamError):
            async for _ in chunks:
                pass


async def read_error(response: httpx.Response) -> bytes:
    """Return the body of an answer that says what is wrong; empty where it cannot be had."""
    try:
        return await read_bounded(response, _MAX_ERROR_BYTES) or b""
    except httpx.RequestError:
        return b""
