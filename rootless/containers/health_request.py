"""What `--health-cmd` and its like change of an image's health check; pure."""

from dataclasses import dataclass, replace

from rootless.bundle import parse
from rootless.containers.health import HealthCheck, command_of
from rootless.containers.times import duration
from rootless.errors import InvalidInput
from rootless.oci.image_config import Healthcheck

_NS = 1e9


@dataclass(frozen=True, slots=True)
class HealthRequest:
    """The options as they were typed, "" for those that were not.

    Attributes:
        none: There is to be no check.
    """

    command: str = ""
    none: bool = False
    interval: str = ""
    timeout: str = ""
    start_period: str = ""
    retries: str = ""


def health_of(image: Healthcheck | None, request: HealthRequest) -> HealthCheck | None:
    """Return a container's check, None for none; raises InvalidInput."""
    if request.none or request.command == "none":
        return None
    check = _of_image(image)
    if request.command:
        check = replace(check or HealthCheck(()), command=_words(request.command))
    if check is None:
        return None
    if request.interval:
        check = replace(check, interval=_seconds(request.interval, "--health-interval"))
    if request.timeout:
        check = replace(check, timeout=_seconds(request.timeout, "--health-timeout"))
    if request.start_period:
        check = replace(check, start_period=duration(request.start_period).total_seconds())
    if request.retries:
        if not (request.retries.isascii() and request.retries.isdigit() and int(request.retries)):
            raise InvalidInput("--health-retries takes a number", request.retries)
        check = replace(check, retries=int(request.retries))
    return check


def _words(text: str) -> tuple[str, ...]:
    return parse.words(text, "--health-cmd") if text.startswith("[") else ("/bin/sh", "-c", text)


def _of_image(image: Healthcheck | None) -> HealthCheck | None:
    command = command_of(image.test) if image is not None else ()
    if image is None or not command:
        return None
    default = HealthCheck(command)
    return HealthCheck(
        command,
        image.interval / _NS or default.interval,
        image.timeout / _NS or default.timeout,
        image.start_period / _NS,
        image.retries or default.retries,
    )


def _seconds(text: str, option: str) -> float:
    seconds = duration(text).total_seconds()
    if not seconds:
        raise InvalidInput(f"{option} takes a time", text)
    return seconds
