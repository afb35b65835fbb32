"""From what went wrong on the wire to an error for the user, and whether to try again.

What a registry says is shown in part and cleared of secrets; a URL without its query, since those
of storage services are signed.
"""

import errno
import json
import os
import socket
import ssl
from collections.abc import Iterable, Iterator

import httpx

from rootless.errors import AccessDenied, NotFound, RegistryError, RootlessError
from rootless.registry.call import Call
from rootless.registry.retry import RETRIED, Again, retry_after

_CONNECT_TRIES = 3  # a wrong name or port does not pass
_MAX_SAID = 200


def shown(url: httpx.URL) -> str:
    """Return a URL as it may be shown."""
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}{url.path}"


def broken(error: httpx.RequestError, url: httpx.URL, domain: str) -> Again | RegistryError:
    """Return what to raise for a request that had no answer, or for a body that was cut."""
    host = url.netloc.decode("ascii", "replace")
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _tls_failure(cause, host, domain)
        if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
            return RegistryError("host name is not known", host, "check the name, and the network")
    if isinstance(error, httpx.ProxyError):
        return Again(RegistryError("proxy refuses", f"{host}: {error}"), tries=_CONNECT_TRIES)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        what = f"cannot connect to the registry: {_reason(error)}"
        return Again(RegistryError(what, host, "check the network"), tries=_CONNECT_TRIES)
    if isinstance(error, httpx.TimeoutException):
        return Again(RegistryError("registry does not go on", shown(url), "try again"))
    return Again(RegistryError("connection to the registry was cut", shown(url), "try again"))


def refused(
    call: Call, response: httpx.Response, data: bytes, domain: str, secrets: Iterable[str]
) -> Again | RootlessError:
    """Return what to raise for an answer that is not among those that were expected."""
    status = response.status_code
    text = said(data, secrets)
    on = f"{call.on}: {text}" if text else call.on
    log_in = f"log in with `rootless login {domain}`"
    if status in RETRIED:
        what = "registry has too many requests" if status == 429 else f"registry fails ({status})"
        fix = f"try again later, or {log_in}" if status == 429 else "try again later"
        error = RegistryError(what, on, fix)
        return Again(error, retry_after(response.headers.get("retry-after")))
    if status == 404:
        return NotFound(f"no such {call.what}", call.on, f"check the name, or {log_in}")
    if status == 401 and response.request.headers.get("authorization", "").startswith("Basic "):
        return AccessDenied("registry refuses the user name or password", on, log_in)
    if status == 401:
        return AccessDenied("registry refuses access, or has no such repository", on, log_in)
    if status == 403:
        return AccessDenied("registry denies access", on, log_in + " as a user who may")
    where = f"{on} ({response.request.method} {shown(response.request.url)})"
    return RegistryError(f"registry answers with status {status}", where)


def said(data: bytes, secrets: Iterable[str] = ()) -> str:
    """Return the registry's own words out of an answer: distribution-spec, "Error Codes"."""
    try:
        document = json.loads(data)
        errors = document.get("errors") or [document]
        first = errors[0]
        words = [first.get("code"), first.get("message") or first.get("details")]
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError):
        return ""
    text = " ".join(word for word in words if isinstance(word, str))
    for secret in secrets:
        text = text.replace(secret, "***")
    text = "".join(c if c.isprintable() else " " for c in text[:_MAX_SAID])
    return text.strip()


def speaks_tls(error: httpx.TransportError) -> bool:
    """Tell whether a server that refused a connection did so in the words of TLS."""
    causes = [cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)]
    return any("ALERT" in _reason_of(cause) for cause in causes)


def _tls_failure(error: ssl.SSLError, host: str, domain: str) -> Again | RegistryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"certificate is not trusted: {error.verify_message}"
        fix = f"put its CA into ~/.config/containers/certs.d/{domain}/ca.crt"
        return RegistryError(what, host, fix)
    reason = _reason_of(error)
    if "CERTIFICATE" in reason:  # an alert of the registry's: required, unknown, expired
        fix = f"put client.cert and client.key into ~/.config/containers/certs.d/{domain}"
        return RegistryError("registry wants another certificate of yours", host, fix)
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        fix = "for plain HTTP give --tls-verify=false, or insecure = true in registries.conf"
        return RegistryError("registry does not speak TLS", host, fix)
    what = f"TLS fails: {reason.replace('_', ' ').lower() or 'connection was cut'}"
    return Again(RegistryError(what, host, "try again"), tries=_CONNECT_TRIES)


def _reason_of(error: ssl.SSLError) -> str:
    """Return OpenSSL's word; errors of the module itself have none."""
    return getattr(error, "reason", None) or ""


def _reason(error: BaseException) -> str:
    """Return the kernel's reason; the libraries above wrap it more than once."""
    for cause in _causes(error):
        number = getattr(cause, "errno", None)
        if isinstance(number, int) and number in errno.errorcode:
            return os.strerror(number)
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else "no connection"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that led to it, members of groups too."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if any(each is other for other in seen):
            continue
        seen.append(each)
        yield each
        waiting += [e for e in (each.__cause__, each.__context__) if e is not None]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
