"""Proving who the user is: basic authentication and bearer tokens.

distribution's spec/auth/token.md and oauth.md: a registry answers 401 with the address of its token
server; that gives a token for certain scopes and a short time. Tokens are kept until shortly before
their end, and fetched once for all who wait for the same one. A password goes to the registry
itself, or to the token server that it names, over TLS where the registry has it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
import trio

from rootless.errors import AccessDenied, InvalidInput, RegistryError
from rootless.oci.document import parse_document
from rootless.registry.challenge import Challenge
from rootless.registry.credentials import Credentials
from rootless.registry.endpoints import Endpoint
from rootless.registry.failures import broken, said, shown
from rootless.registry.retry import RETRIED, Again, retry_after
from rootless.registry.settings import Settings
from rootless.registry.wire import Wire, read_error

CLIENT_ID = "rootless"
_TOKEN_LIFE_S = 60.0  # what the specification assumes where a server says nothing
_EARLY_S = 5.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, repr=False)
class _Token:
    value: str
    ends: float

    @property
    def header(self) -> str:
        return f"Bearer {self.value}"


class Authenticator:
    """Gives the Authorization field for one repository's requests.

    Args:
        endpoint: The repository.
        settings: Where credentials are.
        wire: Connections.
        credentials: The ones to use, instead of those that are kept for the name.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        settings: Settings,
        wire: Wire,
        credentials: Credentials | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._wire = wire
        self._credentials = credentials
        self._was_asked = credentials is not None
        self._challenge: Challenge | None = None
        self._tokens: dict[frozenset[str], _Token] = {}
        self._demanded: dict[frozenset[str], frozenset[str]] = {}
        self._lock = trio.Lock()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, should a registry say it."""
        kept = self._credentials.secrets if self._credentials else ()
        basic = (_basic(self._credentials).removeprefix("Basic "),) if self._credentials else ()
        return (*kept, *basic, *(token.value for token in self._tokens.values()))

    async def header(self, scopes: frozenset[str]) -> str:
        """Return the field's value; empty until the registry has asked for something."""
        challenge = self._challenge
        if challenge is None:
            return ""
        if challenge.scheme == "basic":
            return _basic(self._credentials) if self._credentials else ""
        token = self._tokens.get(scopes)
        if token is None or trio.current_time() >= token.ends:
            async with self._lock:
                token = self._tokens.get(scopes)
                if token is None or trio.current_time() >= token.ends:
                    token = self._tokens[scopes] = await self._fetch(challenge, scopes)
        return token.header

    async def answer(
        self, challenges: Sequence[Challenge], scopes: frozenset[str], used: str
    ) -> bool:
        """Take note of what a registry asked for after a request with the field *used*.

        Returns:
            Whether it makes sense to ask again.
        """
        async with self._lock:
            if not self._was_asked:
                self._credentials = await trio.to_thread.run_sync(
                    self._settings.keyring.find,
                    self._endpoint.repository,
                    abandon_on_cancel=True,  # a helper may wait for the user
                )
                self._was_asked = True
            offered = {challenge.scheme: challenge for challenge in reversed(challenges)}
            chosen = offered.get("bearer") or offered.get("basic")
            if chosen is None:
                return False
            self._challenge = chosen
            if chosen.scheme == "basic":
                return self._credentials is not None and used != _basic(self._credentials)
            token = self._tokens.get(scopes)
            if token is not None and token.header == used:
                del self._tokens[scopes]  # ended sooner than it said, or is not enough
                demanded = frozenset(chosen.parameters.get("scope", "").split())
                self._demanded[scopes] = demanded - scopes
            return True

    async def _fetch(self, challenge: Challenge, scopes: frozenset[str]) -> _Token:
        realm = self._realm(challenge)
        # a registry may call a repository otherwise than its clients do
        wanted = sorted(scopes | self._demanded.get(scopes, frozenset()))
        wanted = wanted or challenge.parameters.get("scope", "").split()
        service = challenge.parameters.get("service", "")
        credentials = self._credentials
        if credentials is not None and credentials.identity_token:
            form = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": CLIENT_ID,
                "scope": " ".join(wanted),
                "refresh_token": credentials.identity_token,
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            data = await self._ask("POST", realm, headers, urlencode(form).encode())
        else:
            query = {"service": service} if service else {}
            headers = {}
            if credentials is not None:
                query["account"] = credentials.username
                headers["Authorization"] = _basic(credentials)
            url = realm.copy_merge_params({**query, "scope": wanted})
            data = await self._ask("GET", url, headers, None)
        return _parse_token(data, shown(realm))

    def _realm(self, challenge: Challenge) -> httpx.URL:
        """Return the token server's URL; a password must not leave TLS on its account."""
        text = challenge.parameters.get("realm", "")
        try:
            realm = httpx.URL(text)
        except httpx.InvalidURL:
            realm = httpx.URL("")
        domain = self._endpoint.domain
        if realm.scheme not in ("http", "https") or not realm.host:
            raise RegistryError("registry names no usable token server", domain)
        is_safe = realm.scheme == "https" or realm.host in _LOOPBACK
        if not is_safe and not self._endpoint.insecure:
            fix = "with --tls-verify=false it is used nevertheless"
            raise RegistryError("token server has no TLS", f"{domain}: {shown(realm)}", fix)
        return realm

    async def _ask(
        self, method: str, url: httpx.URL, headers: dict[str, str], content: bytes | None
    ) -> bytes:
        domain = self._endpoint.domain
        verify = not self._endpoint.insecure
        try:
            response = await self._wire.send(method, url, headers, content, verify=verify)
        except httpx.RequestError as error:
            raise broken(error, url, domain) from error
        data = await read_error(response)
        status = response.status_code
        if status == 200:
            return data
        text = said(data, self.secrets)
        on = f"{domain}: {text}" if text else domain
        if status in RETRIED:
            error_ = RegistryError(f"token server fails ({status})", on, "try again later")
            raise Again(error_, retry_after(response.headers.get("retry-after")))
        if status in (400, 401, 403):
            fix = f"log in with `rootless login {domain}`"
            if self._credentials is not None:
                raise AccessDenied("registry refuses the user name or password", on, fix)
            raise AccessDenied("registry refuses access", on, fix)
        raise RegistryError(f"token server answers with status {status}", on)


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.username}:{credentials.password}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _parse_token(data: bytes, where: str) -> _Token:
    try:
        node = parse_document(data, "token")
        value = node.text("token") or node.text("access_token")
        life = node.get("expires_in")
        seconds = float(life.as_integer()) if life is not None else _TOKEN_LIFE_S
    except InvalidInput:  # its text would show a part of the token
        value, seconds = "", 0.0
    if not value or not value.isascii() or not value.isprintable():
        raise RegistryError("token server gives no token", where)
    # by our own clock, since the two may differ; a tenth early for tokens of a few seconds
    ends = trio.current_time() + seconds - min(_EARLY_S, seconds / 10)
    return _Token(value, ends)
