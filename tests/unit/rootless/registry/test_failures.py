"""From what went wrong to what the user is told; the real cases are in tests/registry."""

import json
import socket
import ssl

import httpx
import pytest

from rootless.errors import InvalidInput, NotFound, RegistryError
from rootless.registry.call import Call
from rootless.registry.failures import broken, refused, said, shown, speaks_tls
from rootless.registry.retry import Again

URL = httpx.URL("https://user:pw@a.test:5000/v2/x?signature=SECRET")
CALL = Call("GET", "/v2/x", "image in the registry", "a.test/x:1")


def caused(error: httpx.TransportError, cause: BaseException) -> httpx.TransportError:
    """Return an error as the libraries wrap it."""
    inner = OSError("all attempts failed")
    inner.__context__ = ExceptionGroup("attempts", [ValueError(), cause])  # type: ignore[list-item]
    error.__cause__ = inner
    return error


def test_urls_are_shown_in_part() -> None:
    """Neither the query nor the user's part is shown."""
    assert shown(URL) == "https://a.test:5000/v2/x"


@pytest.mark.parametrize(
    ("error", "says", "may_pass"),
    [
        (httpx.ReadError(""), "connection to the registry was cut: https://a.test:5000/v2/x", True),
        (httpx.RemoteProtocolError("nonsense"), "was cut", True),
        (httpx.ReadTimeout(""), "does not go on", True),
        (httpx.ConnectTimeout(""), "cannot connect to the registry: no answer in time", True),
        (httpx.ProxyError("407 Proxy Authentication Required"), "proxy refuses", True),
        (
            caused(httpx.ConnectError(""), ConnectionRefusedError(111, "x")),
            "Connection refused: a.test:5000",
            True,
        ),
        (
            caused(httpx.ConnectError(""), socket.gaierror(socket.EAI_NONAME, "x")),
            "host name is not known: a.test:5000",
            False,
        ),
        (
            caused(httpx.ConnectError(""), socket.gaierror(socket.EAI_AGAIN, "x")),
            "cannot connect",
            True,
        ),
        (caused(httpx.ConnectError(""), ssl.SSLError(1, "x")), "TLS fails", True),
    ],
)
def test_broken(error: httpx.TransportError, says: str, may_pass: bool) -> None:  # noqa: FBT001
    """Each says what, on which host, and whether it is worth another try."""
    raised = broken(error, URL, "a.test:5000")
    assert isinstance(raised, Again) == may_pass
    text = str(raised.error if isinstance(raised, Again) else raised)
    assert says in text
    assert "SECRET" not in text
    assert "pw" not in text


def test_refused() -> None:
    """Statuses become the errors that callers tell apart."""
    request = httpx.Request("GET", URL)

    def of(status: int, data: bytes = b"", **fields: str) -> Exception:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        response = httpx.Response(status, headers=headers, request=request)
        return refused(CALL, response, data, "a.test", ["SECRET"])

    assert isinstance(of(404), NotFound)
    assert "rootless login a.test" in str(of(401))
    assert "no such repository" in str(of(401))
    request.headers["Authorization"] = "Basic SECRET"
    assert "refuses the user name or password: a.test/x:1 (" in str(of(401))
    assert isinstance(of(403), InvalidInput)
    assert isinstance(of(418), RegistryError)
    assert "status 418: a.test/x:1 (GET https://a.test:5000/v2/x)" in str(of(418))
    again = of(429, retry_after="9")
    assert isinstance(again, Again)
    assert again.after == 9
    data = json.dumps({"errors": [{"code": "DENIED", "message": "SECRET\n\x1b[0m" + "x" * 500}]})
    text = str(of(403, data.encode()))
    assert "SECRET" not in text
    assert "DENIED ***" in text
    assert text.isprintable()
    assert len(text) < 400


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"errors":[{"code":"A","message":"b"}]}', "A b"),
        (b'{"details":"wrong"}', "wrong"),
        (b'{"errors":[]}', ""),
        (b'{"errors":[5]}', ""),
        (b'{"errors":{"x":1}}', ""),
        (b'{"errors":[{"code":5,"message":null}]}', ""),
        (b"<html>", ""),
        (b"[" * 100_000, ""),
        (b"[]", ""),
    ],
)
def test_what_registries_say(data: bytes, text: str) -> None:
    """Their own words, where they are where the specification has them."""
    assert said(data) == text


def test_an_alert_is_tls() -> None:
    """A server that refuses in the words of TLS speaks it."""
    error = ssl.SSLError(1, "x")
    error.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert speaks_tls(caused(httpx.ReadError(""), error))
    error.reason = "WRONG_VERSION_NUMBER"
    assert not speaks_tls(caused(httpx.ReadError(""), error))
    assert not speaks_tls(httpx.ReadError(""))
