"""--expose and --publish-all: which ports of an image are published."""

import pytest

from rootless.containers.network.exposed import parse_expose, to_publish
from rootless.containers.network.ports import PortMapping, parse_publish
from rootless.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *(("80", "80/tcp"), ("80/tcp", "80/tcp"), ("53/udp", "53/udp")),
        ("8000-8010", "8000-8010/tcp"),
    ],
)
def test_what_is_exposed(text: str, kept: str) -> None:
    """A port, or a range, of TCP unless it is said; as an image's config has it."""
    assert parse_expose(text) == kept


@pytest.mark.parametrize("text", ["", "8080:80", "80/sctp", "0", "65536", "90-80", "http", "80/"])
def test_what_is_none(text: str) -> None:
    """Nothing of the host, no other protocol, no name: one line says which form it must have."""
    with pytest.raises(InvalidInput):
        parse_expose(text)


def test_all_that_are_exposed() -> None:
    """Each once, a range one by one, unless --publish leads there already; the host's are free."""
    exposed = ("80/tcp", "53/udp", "80", "7000-7002/tcp")
    found = to_publish(exposed, [parse_publish("8080:80"), parse_publish("9001:7001")])
    assert found == (PortMapping(53, protocol="udp"), PortMapping(7000), PortMapping(7002))
    assert all(each.chosen for each in found)


def test_what_an_image_says_wrongly(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody can publish is passed over, and said; too many are refused."""
    assert to_publish(("80/sctp", "81"), ()) == (PortMapping(81),)
    assert "a port that the image exposes is not published" in caplog.text
    with pytest.raises(InvalidInput, match=r"500 .*65535 are exposed"):
        to_publish(("1-65535",), ())
