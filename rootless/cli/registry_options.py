"""The options of the commands that talk to a registry, as podman and skopeo call them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from rootless.cli.option_groups import option
from rootless.errors import InvalidInput

if TYPE_CHECKING:
    from rootless.registry.credentials import Credentials
    from rootless.registry.settings import Settings

HOW = "How"
_REGISTRY = "The registry"

Progress = Annotated[
    str,
    option(
        "--progress",
        group=HOW,
        metavar="auto|plain|json|none",
        help_="On stderr; auto is bars on a terminal, nothing elsewhere.",
    ),
]
AuthFile = Annotated[
    str, option("--authfile", group=_REGISTRY, metavar="FILE", help_="Where credentials are.")
]
CertDir = Annotated[
    str,
    option(
        "--cert-dir",
        group=_REGISTRY,
        metavar="DIR",
        help_="Certificates: *.crt to trust, *.cert with *.key to show.",
    ),
]
Creds = Annotated[
    str,
    option(
        "--creds",
        group=_REGISTRY,
        metavar="USER[:PASSWORD]",
        help_="Who you are; a password that is left out is asked for.",
    ),
]
TLSVerify = Annotated[
    str,
    option(
        "--tls-verify",
        group=_REGISTRY,
        metavar="true|false",
        help_="Insist on HTTPS with a good certificate; else as registries.conf says.",
    ),
]
Retry = Annotated[
    str,
    option(
        "--retry", group=_REGISTRY, metavar="N", help_="How often a request is tried again; else 4."
    ),
]
RetryDelay = Annotated[
    str,
    option(
        "--retry-delay",
        group=_REGISTRY,
        metavar="TIME",
        help_="How long before the first time, as 2s; twice as long before the next.",
    ),
]


def plain_settings(*, authfile: str, tls_verify: str, cert_dir: str) -> "Settings":
    """Return the settings of a command that has these options alone; raises InvalidInput."""
    from rootless.registry.settings import Settings  # noqa: PLC0415

    return Settings.load(tls_verify=_verdict(tls_verify), authfile=authfile, cert_dir=cert_dir)


def settings_of(given: Mapping[str, Any], names: Sequence[str]) -> "Settings":
    """Return the settings with what the options say; raises InvalidInput.

    Args:
        given: The options' values by parameter.
        names: The images in question: `--creds` is for their registries and for no other host.
    """
    from dataclasses import replace  # noqa: PLC0415 - only who talks to a registry pays for it

    from rootless.containers.times import duration  # noqa: PLC0415
    from rootless.registry.settings import Settings, candidates  # noqa: PLC0415

    settings = Settings.load(
        tls_verify=_verdict(given["tls_verify"]),
        authfile=given["authfile"],
        cert_dir=given["cert_dir"],
    )
    retry = settings.retry
    if given["retry"]:
        retry = replace(retry, tries=1 + number(given["retry"], "--retry", 0, 100))
    if given["retry_delay"]:
        retry = replace(retry, first_delay=duration(given["retry_delay"]).total_seconds())
    if given["creds"]:
        credentials = _credentials(given["creds"])
        hosts = {found.domain for name in names for found in candidates(name, settings)}
        keyring = replace(settings.keyring, given=dict.fromkeys(hosts, credentials))
        settings = replace(settings, keyring=keyring)
    return replace(settings, retry=retry)


def _credentials(text: str) -> "Credentials":
    import getpass  # noqa: PLC0415
    import sys  # noqa: PLC0415

    from rootless.registry.credentials import Credentials  # noqa: PLC0415

    user, colon, password = text.partition(":")
    if not user:
        raise InvalidInput("--creds names no user", "", "give USER or USER:PASSWORD")
    if not colon and not sys.stdin.isatty():
        raise InvalidInput("--creds has no password", user, "give USER:PASSWORD, or a terminal")
    return Credentials(user, password if colon else getpass.getpass(f"Password of {user}: "))


def _verdict(text: str) -> bool | None:
    if text.lower() not in ("", "true", "false"):
        raise InvalidInput("--tls-verify takes true or false", text)
    return text.lower() == "true" if text else None


def number(text: str, name: str, low: int, high: int) -> int:
    """Return the whole number of an option; raises InvalidInput."""
    if not text.isascii() or not text.isdigit() or not low <= int(text[:9]) <= high:
        raise InvalidInput(f"{name} takes a number from {low} to {high}", text)
    return int(text)
