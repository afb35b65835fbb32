"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as Go's programs have them."""

import pytest

from rootless.errors import InvalidInput
from rootless.registry.proxies import Proxies

PROXY = "http://proxy.test:3128"


def test_the_variables() -> None:
    """One for each scheme; lower case wins; a host alone is HTTP."""
    proxies = Proxies.from_environment(
        {"HTTP_PROXY": "other.test:1", "http_proxy": "proxy.test:3128", "HTTPS_PROXY": PROXY}
    )
    assert proxies.of("http://a.test/") == PROXY
    assert proxies.of("https://a.test/") == PROXY
    assert Proxies.from_environment({"HTTP_PROXY": PROXY}).of("https://a.test/") == ""
    assert Proxies.from_environment({}).of("http://a.test/") == ""


@pytest.mark.parametrize("value", ["socks5://a:1", "http://:80", "http://a:b", "ftp://a"])
def test_what_cannot_be_used(value: str) -> None:
    """It is an error that does not show the value, which may hold a password."""
    with pytest.raises(InvalidInput, match="proxy cannot be used: HTTPS_PROXY") as error:
        Proxies.from_environment({"HTTPS_PROXY": value})
    assert value not in str(error.value)


def test_no_secret_is_shown() -> None:
    """A password in a proxy's URL is not in its repr."""
    assert "secret" not in repr(Proxies("http://user:secret@proxy.test"))


@pytest.mark.parametrize(
    ("words", "url", "is_direct"),
    [
        ("", "http://localhost:5000", True),
        ("", "http://127.0.0.9", True),
        ("", "http://[::1]:5000", True),
        ("*", "http://a.test", True),
        ("a.test", "http://a.test", True),
        ("a.test", "http://b.a.test:5000", True),
        ("a.test", "http://ba.test", False),
        (".a.test", "http://a.test", False),
        (".a.test", "http://b.a.test", True),
        ("*.a.test", "http://b.a.test", True),
        ("x.test, A.test", "http://a.test.", True),
        ("a.test:5000", "http://a.test:5000", True),
        ("a.test:5000", "http://a.test:5001", False),
        ("a.test:80", "http://a.test", True),
        ("10.0.0.0/8", "http://10.9.8.7:5000", True),
        ("10.0.0.0/8", "http://11.9.8.7", False),
        ("10.0.0.0/8", "http://ten.test", False),
        ("10.0.0.1", "http://10.0.0.1", True),
        ("0.0.1", "http://10.0.0.1", False),
        ("10.0.0.1:5000", "http://10.0.0.1:80", False),
        ("fd00::/8", "http://[fd00::1]", True),
        ("[fd00::1]:5000", "http://[fd00::1]:5000", True),
        ("fd00::1", "http://[fd00::1]:5000", True),
        ("nonsense/8", "http://10.0.0.1", False),
    ],
)
def test_exceptions(words: str, url: str, is_direct: bool) -> None:  # noqa: FBT001
    """Each form of a word in NO_PROXY."""
    proxies = Proxies.from_environment({"HTTP_PROXY": PROXY, "NO_PROXY": words})
    assert proxies.of(url) == ("" if is_direct else PROXY)
