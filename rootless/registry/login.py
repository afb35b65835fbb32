"""Logging in and out: credentials are tried at the registry before they are kept.

distribution-spec, "Determining Support": `GET /v2/` answers 200 to who may be there. Where there is
a token server, the credentials go to that; a registry that asks for nothing takes any.
"""

from rootless.errors import InvalidInput
from rootless.oci.reference import DOCKER_HUB
from rootless.registry.call import Call
from rootless.registry.caller import Caller
from rootless.registry.credentials import Credentials
from rootless.registry.endpoints import registry_endpoint
from rootless.registry.settings import Settings
from rootless.registry.wire import Wire


def default_registry(settings: Settings) -> str:
    """Return the registry of a login that names none: the first that is searched."""
    return next(iter(settings.registries.search or ()), DOCKER_HUB)


async def try_credentials(key: str, credentials: Credentials, settings: Settings) -> None:
    """Ask a registry whether it knows the user.

    Raises:
        InvalidInput: It does not.
        RegistryError: It cannot be reached.
    """
    place = registry_endpoint(key, settings.registries, tls_verify=settings.tls_verify)
    wire = Wire(settings)
    try:
        caller = Caller(place, settings, wire, credentials)
        call = Call("GET", "/v2/", "registry", place.domain)
        try:
            await caller.document(call)
        except InvalidInput as error:
            fix = "check the user name and the password"
            raise InvalidInput(
                "registry refuses the user name or password", error.on, fix
            ) from error
    finally:
        await wire.aclose()
