"""Asking a registry in the test's own process, with settings that are the test's alone."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import trio
from registries import RegistryServer, certs_d

from rootless.oci.reference import parse_reference
from rootless.registry.certificates import Certificates
from rootless.registry.client import Registry
from rootless.registry.credentials import Credentials
from rootless.registry.keyring import Keyring
from rootless.registry.repository import Repository
from rootless.registry.retry import RetryPolicy
from rootless.registry.settings import Settings

T = TypeVar("T")

QUICK = RetryPolicy(tries=4, first_delay=0.01, longest_delay=0.05, longest_wait=5)


def settings_for(server: RegistryServer, **others: object) -> Settings:
    """Return settings with which a server's own user gets in, and that do not wait for long."""
    given = {}
    if server.user:
        given[server.host] = Credentials(server.user, server.password)
    certificates = Certificates(folders=(certs_d(server),)) if server.tls else Certificates()
    fields: dict[str, object] = {
        "keyring": Keyring(given=given),
        "certificates": certificates,
        "tls_verify": server.tls,
        "retry": QUICK,
    }
    return Settings(**{**fields, **others})  # type: ignore[arg-type]


def asked(name: str, settings: Settings, use: Callable[[Repository], Awaitable[T]]) -> T:
    """Return what a function gets out of the repository of an image."""

    async def main() -> T:
        async with Registry(settings) as registry:
            return await use(registry.repository(parse_reference(name).canonical()))

    return trio.run(main)


def blob_of(server: RegistryServer, digest: str) -> Path:
    """Return where a docker-registry keeps a blob."""
    hexadecimal = digest.partition(":")[2]
    return server.blobs / hexadecimal[:2] / hexadecimal / "data"
