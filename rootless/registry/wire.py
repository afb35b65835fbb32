"""Requests over HTTP: connections by host, each with the TLS and the proxy that are its own.

Nothing here follows a redirect, adds a credential or tries again; the environment is not read.
"""

import contextlib
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Mapping

import httpx
import trio

from rootless import __version__
from rootless.errors import RegistryError
from rootless.registry.failures import shown
from rootless.registry.settings import Settings

_HEADERS = {"User-Agent": f"rootless/{__version__}", "Accept-Encoding": "identity"}
_LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=15)
_MAX_ERROR_BYTES = 64 << 10


class Wire:
    """The connections of one command. Close it.

    Args:
        settings: Certificates, proxies, patience.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[tuple[str, str, bool], httpx.AsyncClient] = {}
        self._contexts: dict[tuple[str, bool], ssl.SSLContext] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.aclose()

    async def send(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: AsyncIterable[bytes] | bytes | None = None,
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
        url = url.copy_with(username=None, password=None)  # httpx would log in with them
        client = self._client(url, domain or url.netloc.decode("ascii"), verify=verify)
        request = client.build_request(method, url, headers=dict(headers), content=content)
        return await client.send(request, stream=True, follow_redirects=False)

    def _client(self, url: httpx.URL, domain: str, *, verify: bool) -> httpx.AsyncClient:
        key = f"{url.scheme}://{url.netloc.decode('ascii')}", domain, verify
        client = self._clients.get(key)
        if client is None:
            patience = self._settings.patience
            proxy = self._settings.proxies.of(str(url))
            context = self._context(domain, verify=verify)
            client = self._clients[key] = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(
                    verify=context,
                    limits=_LIMITS,
                    proxy=httpx.Proxy(proxy, ssl_context=self._context("")) if proxy else None,
                    trust_env=False,
                ),
                headers=_HEADERS,
                timeout=httpx.Timeout(patience.silence, connect=patience.connect, pool=None),
                trust_env=False,
            )
        return client

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
