"""The registries of one command: `async with Registry(settings) as registry`."""

from types import TracebackType
from typing import Self

import trio

from rootless.oci.reference import Reference
from rootless.registry.caller import Caller
from rootless.registry.endpoints import endpoints, own_endpoint
from rootless.registry.repository import Repository
from rootless.registry.settings import Settings
from rootless.registry.wire import Wire


class Registry:
    """Owns the connections; use it as an async context manager, under trio.

    Args:
        settings: What was configured.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wire = Wire(settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 2):
            await self._wire.aclose()

    def repository(self, reference: Reference) -> Repository:
        """Return the repository of a canonical reference; raises InvalidInput if it is blocked."""
        settings = self._settings
        conf, tls_verify = settings.registries, settings.tls_verify
        reading = endpoints(reference, conf, tls_verify=tls_verify)
        writing = own_endpoint(reference, conf, tls_verify=tls_verify)
        callers = {place: Caller(place, settings, self._wire) for place in (*reading, writing)}
        return Repository(reference, [callers[place] for place in reading], callers[writing])
