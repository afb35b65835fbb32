"""Everything that was configured about registries, read once: the environment and its files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rootless.oci.reference import Reference
from rootless.registry.auth_file import auth_file_paths
from rootless.registry.certificates import Certificates
from rootless.registry.keyring import Keyring
from rootless.registry.proxies import Proxies
from rootless.registry.registries_conf import RegistriesConf, load_registries_conf
from rootless.registry.retry import RetryPolicy
from rootless.registry.short_names import candidates_of


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a registry may be silent, in seconds.

    Attributes:
        connect: Until a connection is there, TLS included.
        silence: Without a byte in either direction.
        crawl: Over which a body has to bring at least 100 bytes a second.
    """

    connect: float = 20.0
    silence: float = 60.0
    crawl: float = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all registries of one command.

    Attributes:
        registries: registries.conf and what goes with it.
        keyring: Where credentials are.
        certificates: Whom to trust.
        proxies: Ways out.
        tls_verify: What the command line says of TLS; None: what registries.conf says.
        retry: How often a request is made.
        patience: How long a registry may be silent.
    """

    registries: RegistriesConf = field(default_factory=RegistriesConf)
    keyring: Keyring = field(default_factory=Keyring)
    certificates: Certificates = field(default_factory=Certificates)
    proxies: Proxies = field(default_factory=Proxies)
    tls_verify: bool | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    patience: Patience = field(default_factory=Patience)

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        tls_verify: bool | None = None,
        authfile: str = "",
        cert_dir: str = "",
    ) -> "Settings":
        """Read everything; raises InvalidInput that names the file or the variable at fault."""
        env = os.environ if environ is None else environ
        home = Path(env.get("HOME") or Path("~").expanduser())
        registries = load_registries_conf(env, home)
        return cls(
            registries=registries,
            keyring=Keyring(auth_file_paths(env, home, authfile), registries.credential_helpers),
            certificates=Certificates.from_environment(env, home, cert_dir),
            proxies=Proxies.from_environment(env),
            tls_verify=tls_verify,
        )


def candidates(name: str, settings: Settings) -> list[Reference]:
    """Return the full references that a name may mean, in order; raises InvalidInput."""
    return candidates_of(name, settings.registries)
