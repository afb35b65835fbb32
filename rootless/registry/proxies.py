"""Which proxy a request goes through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY (pure).

There is no standard; the rules are those that Go's programs, podman and skopeo among them, keep.
The lower-case names win, loopback is never asked through a proxy. NO_PROXY holds `*`, hosts (with
what lies below them, `.example.org` that alone), addresses, networks (10.0.0.0/8), each with or
without a port.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rootless.errors import InvalidInput

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of an environment; their URLs may hold passwords."""

    http: str = field(default="", repr=False)
    https: str = field(default="", repr=False)
    exceptions: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Proxies":
        """Read the variables; raises InvalidInput where a proxy is none that can be used."""
        http = _proxy(environ, "http_proxy")
        https = _proxy(environ, "https_proxy")
        words = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
        return cls(http, https, tuple(word.strip().lower() for word in words if word.strip()))

    def of(self, url: str) -> str:
        """Return the proxy's URL for a request to *url*, empty for none."""
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or _PORTS.get(parts.scheme, 0)
        if _is_loopback(host) or any(_excepts(word, host, port) for word in self.exceptions):
            return ""
        return self.https if parts.scheme == "https" else self.http


def _proxy(environ: Mapping[str, str], name: str) -> str:
    text = environ.get(name) or environ.get(name.upper()) or ""
    if not text:
        return ""
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_good = False
    if not is_good:  # without its text: it may hold a password
        raise InvalidInput("proxy cannot be used", name.upper(), "give http://HOST:PORT")
    return text


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _excepts(word: str, host: str, port: int) -> bool:
    """Tell whether a word of NO_PROXY means a host."""
    if word == "*":
        return True
    address = _address(host)
    if "/" in word:
        try:
            return address is not None and address in ipaddress.ip_network(word, strict=False)
        except ValueError:
            return False
    name, number = _host_and_port(word)
    if number and number != str(port):
        return False
    if address is not None:
        return _address(name) == address
    if name.startswith("*."):
        name = name[1:]
    return host.endswith(name) if name.startswith(".") else f".{host}".endswith(f".{name}")


def _host_and_port(word: str) -> tuple[str, str]:
    if word.startswith("["):
        name, _, rest = word[1:].partition("]")
        return name, rest.removeprefix(":")
    if word.count(":") == 1:
        name, _, number = word.partition(":")
        return name, number
    return word, ""
