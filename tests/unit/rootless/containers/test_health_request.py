"""What the options change of an image's health check."""

import pytest

from rootless.containers.health import HealthCheck
from rootless.containers.health_request import HealthRequest, health_of
from rootless.errors import InvalidInput
from rootless.oci.image_config import Healthcheck

IMAGE = Healthcheck(("CMD", "a"), interval=5_000_000_000, start_period=500_000_000, retries=7)


def test_the_image_s() -> None:
    """Its own, with the defaults for what it does not say."""
    assert health_of(IMAGE, HealthRequest()) == HealthCheck(("a",), 5.0, 30.0, 0.5, 7)
    assert health_of(None, HealthRequest()) is None
    assert health_of(Healthcheck(("NONE",)), HealthRequest()) is None


def test_changed() -> None:
    """Each option has the last word."""
    request = HealthRequest("b c", interval="1m", timeout="2s", start_period="0s", retries="1")
    assert health_of(IMAGE, request) == HealthCheck(("/bin/sh", "-c", "b c"), 60, 2, 0, 1)
    words = health_of(None, HealthRequest('["b", "c"]'))
    assert words == HealthCheck(("b", "c"))
    assert health_of(None, HealthRequest(interval="1m")) is None


def test_none() -> None:
    """Both ways to leave it out."""
    assert health_of(IMAGE, HealthRequest(none=True)) is None
    assert health_of(IMAGE, HealthRequest("none")) is None


@pytest.mark.parametrize(
    "request_", [{"interval": "0s"}, {"timeout": "x"}, {"retries": "0"}, {"retries": "x"}]
)
def test_wrong(request_: dict[str, str]) -> None:
    """A time that is none, a number that is none."""
    with pytest.raises(InvalidInput):
        health_of(IMAGE, HealthRequest(**request_))
