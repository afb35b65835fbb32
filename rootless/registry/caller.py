"""Asking one registry on behalf of one repository: its scheme, authentication, redirects, retries.

A redirect is followed for GET and HEAD, at most ten, never from HTTPS to HTTP. Credentials go to
the registry's own scheme, host and port, and nowhere else; a 401 of another host is an error.
"""

import httpx
import trio

from rootless.errors import InvalidInput, RegistryError, RootlessError
from rootless.registry.authenticator import Authenticator
from rootless.registry.call import JSON_LIMIT, Answer, Call
from rootless.registry.challenge import parse_challenges
from rootless.registry.content_range import check_range
from rootless.registry.credentials import Credentials
from rootless.registry.endpoints import Endpoint
from rootless.registry.failures import broken, refused, shown, speaks_tls
from rootless.registry.retry import Again, RetryPolicy, tried
from rootless.registry.settings import Settings
from rootless.registry.wire import Wire, read_bounded, read_error

_MAX_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_ROUNDS = 2  # without a token, with one that has ended; then it is a refusal
_MIRROR_TRIES = 2
_PROBE_S = 10.0


class Caller:
    """Asks one endpoint.

    Args:
        endpoint: Which.
        settings: Retries, certificates, credentials.
        wire: Connections.
        credentials: The ones to use, instead of those that are kept.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        settings: Settings,
        wire: Wire,
        credentials: Credentials | None = None,
    ) -> None:
        self.endpoint = endpoint
        policy = settings.retry
        if endpoint.is_mirror:  # there is another place to ask
            tries = min(_MIRROR_TRIES, policy.tries)
            policy = RetryPolicy(
                tries, policy.first_delay, policy.longest_delay, policy.longest_wait
            )
        self.policy = policy
        self.patience = settings.patience
        self._wire = wire
        self._authenticator = Authenticator(endpoint, settings, wire, credentials)
        self._scheme = "" if endpoint.insecure else "https"
        self._scheme_lock = trio.Lock()
        self._moved: dict[str, httpx.URL] = {}

    async def document(self, call: Call, limit: int = JSON_LIMIT) -> Answer:
        """Ask; return the whole answer. Raises what `open` does, and RegistryError if too long."""

        async def attempt() -> Answer:
            response = await self.open(call)
            url = response.request.url
            try:
                data = await read_bounded(response, limit)
            except httpx.RequestError as error:
                raise broken(error, url, self.endpoint.domain) from error
            if data is None:
                raise RegistryError(f"{call.what} is larger than {limit} bytes", call.on)
            return Answer(response.status_code, response.headers, data, url)

        return await tried(self.policy, attempt)

    async def part(self, call: Call, wanted: tuple[int, int], size: int) -> bytes:
        """Ask for a part of a blob, its first and last byte; return exactly that."""
        length = wanted[1] - wanted[0] + 1

        async def attempt() -> bytes:
            response = await self.open(call)
            url = response.request.url
            try:
                check_range(response, wanted, size, call.on)
                data = await read_bounded(response, length)
            except httpx.RequestError as error:
                raise broken(error, url, self.endpoint.domain) from error
            finally:
                await response.aclose()
            if data is None or len(data) != length:
                got = "more" if data is None else f"{len(data)}"
                what = f"registry sends {got} bytes for a part of {length}"
                raise Again(RegistryError(what, f"{call.on}: {shown(url)}", "try again"))
            return data

        return await tried(self.policy, attempt)

    async def open(self, call: Call) -> httpx.Response:
        """Ask once; return the response, its body unread. The caller closes it.

        Raises:
            Again: It may help to try again.
            RootlessError: It will not.
        """
        moved = self._moved.get(call.path) if call.is_moved else None
        if moved is not None:
            response = await self._send(call, moved, "", is_own=False)
            if response.status_code in call.expected:
                return response
            del self._moved[call.path]  # such addresses end after minutes
            await response.aclose()
        return await self._follow(call, await self._url(call.path))

    async def drain(self, response: httpx.Response) -> None:
        """Read a response to its end and close it; raises `Again` where it is cut."""
        try:
            await read_bounded(response, JSON_LIMIT)
        except httpx.RequestError as error:
            raise broken(error, response.request.url, self.endpoint.domain) from error

    async def _follow(self, call: Call, url: httpx.URL) -> httpx.Response:
        own = _origin(await self._url("/"))
        rounds = hops = 0
        while True:
            is_own = _origin(url) == own
            header = await self._authenticator.header(call.scopes) if is_own else ""
            response = await self._send(call, url, header, is_own=is_own)
            status = response.status_code
            if status in call.expected:
                if call.is_moved and not is_own:
                    self._moved[call.path] = url
                return response
            if status == 401 and is_own and rounds < _MAX_ROUNDS:
                rounds += 1
                challenges = parse_challenges(response.headers.get_list("www-authenticate"))
                data = await read_error(response)
                if await self._authenticator.answer(challenges, call.scopes, header):
                    continue
                raise self._refused(call, response, data)
            if status in _REDIRECTS and call.method in ("GET", "HEAD"):
                hops += 1
                await read_error(response)
                url = self._next(call, url, response, hops)
                continue
            raise self._refused(call, response, await read_error(response))

    async def _send(
        self, call: Call, url: httpx.URL, authorization: str, *, is_own: bool
    ) -> httpx.Response:
        headers = dict(call.headers)
        if authorization:
            headers["Authorization"] = authorization
        endpoint = self.endpoint
        try:
            return await self._wire.send(
                call.method,
                url,
                headers,
                call.content() if call.content is not None else None,
                domain=endpoint.domain if is_own else "",
                verify=not endpoint.insecure,
            )
        except httpx.RequestError as error:
            raise broken(error, url, endpoint.domain) from error

    async def _url(self, path: str) -> httpx.URL:
        """Return the URL of a path below the host, or the URL that *path* is."""
        if "://" in path[:8]:
            return _parsed(path, self.endpoint.domain)
        if not self._scheme:
            async with self._scheme_lock:
                self._scheme = self._scheme or await self._probe()
        return _parsed(f"{self._scheme}://{self.endpoint.host}{path}", self.endpoint.domain)

    async def _probe(self) -> str:
        """Return the scheme of a registry that may have TLS or not: https where it answers."""
        endpoint = self.endpoint
        url = _parsed(f"https://{endpoint.host}/v2/", endpoint.domain)
        with trio.move_on_after(_PROBE_S):  # a server without TLS may wait for the rest
            try:
                response = await self._wire.send(
                    "GET", url, {}, domain=endpoint.domain, verify=False
                )
            except httpx.TransportError as error:
                return "https" if speaks_tls(error) else "http"
            await read_error(response)
            return "https"
        return "http"

    def _next(self, call: Call, url: httpx.URL, response: httpx.Response, hops: int) -> httpx.URL:
        """Return where a redirect leads to."""
        if hops > _MAX_REDIRECTS:
            what = f"registry redirects more than {_MAX_REDIRECTS} times"
            raise RegistryError(what, f"{call.on}: {shown(url)}")
        target = located(response, url)
        if url.scheme == "https" and target.scheme != "https" and not self.endpoint.insecure:
            fix = "with --tls-verify=false it is followed nevertheless"
            raise RegistryError("registry redirects to a host without TLS", shown(target), fix)
        return target

    def _refused(self, call: Call, response: httpx.Response, data: bytes) -> Again | RootlessError:
        secrets = self._authenticator.secrets
        return refused(call, response, data, self.endpoint.domain, secrets)


def located(response: httpx.Response, url: httpx.URL) -> httpx.URL:
    """Return the URL of a response's Location, which may be relative."""
    location = response.headers.get("location", "")
    try:
        target = url.join(location)
    except (httpx.InvalidURL, ValueError):
        location = ""
    if not location:
        raise RegistryError("registry answers without a usable Location", shown(url))
    return target


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme, 0)
    return url.scheme, url.host, port


def _parsed(text: str, domain: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidInput("registry host is not valid", domain) from error
