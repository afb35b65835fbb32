"""Where the bytes of blobs come from, and whether it can be reached just now.

A registry that does not answer is asked again for a while, then whoever waits is told; the next to
ask waits less, until it answers again. One line tells of the loss, one of its end.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import trio

from rootless.errors import RegistryError, RootlessError
from rootless.lazy.ranges import Run
from rootless.lazy.source import Origin, Source
from rootless.oci.reference import parse_reference
from rootless.registry.client import Registry
from rootless.registry.repository import Repository
from rootless.registry.retry import RetryPolicy
from rootless.registry.settings import Patience, Settings

log = logging.getLogger(__name__)

_PATIENCE_WHEN_LOST_S = 2.0
_RETRY = RetryPolicy(tries=8, first_delay=0.2, longest_delay=2.0, longest_wait=10.0)
_SILENCE_S = 10.0


class Remote:
    """The registries of an image's layers; an async context manager.

    Args:
        environ: Where auth files, proxies and the like are looked for.
        patience_s: How long it is tried to reach a registry for one request.
        say: Takes a line for the user.

    Attributes:
        is_lost: Nothing has come since a request failed.
    """

    def __init__(
        self, environ: Mapping[str, str], patience_s: float, say: Callable[[str], None]
    ) -> None:
        self._environ = environ
        self._patience_s = patience_s
        self._say = say
        self._opened = AsyncExitStack()
        self._repositories: dict[Origin, Repository] = {}
        self._registries: dict[tuple[bool | None, str, str], Registry] = {}
        self._opening = trio.Lock()
        self.is_lost = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.aclose()

    async def read(self, source: Source, run: Run, skip: int = 0) -> bytes:
        """Return bytes of a blob; raises RegistryError where they cannot be had for now.

        Args:
            source: Which blob.
            run: Which bytes.
            skip: So many of those who have it are asked last, and of each the mirror that has
                answered: what they gave was wrong.
        """
        patience_s = self._patience_s
        if self.is_lost:
            patience_s = min(patience_s, _PATIENCE_WHEN_LOST_S)
        skip_mirrors = skip > 0
        skip %= len(source.origins)
        failure = RootlessError("the registry does not answer", source.origins[0].repository)
        with trio.move_on_after(patience_s):
            for origin in (*source.origins[skip:], *source.origins[:skip]):
                try:
                    repository = await self._repository(origin)
                    if skip_mirrors:
                        repository.distrust()
                    data = await repository.read_range(source.blob, run.start, run.end - run.start)
                except RootlessError as error:
                    log.debug("%s", error)
                    failure = error
                else:
                    self._regain()
                    return data
        self._lose(failure)
        raise RegistryError(failure.what, failure.on, failure.fix) from failure

    async def _repository(self, origin: Origin) -> Repository:
        async with self._opening:
            known = self._repositories.get(origin)
            if known is None:
                registry = await self._registry(origin)
                known = registry.repository(parse_reference(origin.repository).canonical())
                self._repositories[origin] = known
            return known

    async def _registry(self, origin: Origin) -> Registry:
        key = (origin.tls_verify, origin.authfile, origin.cert_dir)
        if key not in self._registries:
            settings = Settings.load(
                self._environ,
                tls_verify=origin.tls_verify,
                authfile=origin.authfile,
                cert_dir=origin.cert_dir,
            )
            patience = Patience(self._patience_s, _SILENCE_S, _SILENCE_S)
            settings = replace(settings, retry=_RETRY, patience=patience)
            self._registries[key] = await self._opened.enter_async_context(Registry(settings))
        return self._registries[key]

    def _lose(self, error: RootlessError) -> None:
        if not self.is_lost:
            self.is_lost = True
            self._say(f"files of the image that are not here yet give I/O errors: {error}")

    def _regain(self) -> None:
        if self.is_lost:
            self.is_lost = False
            self._say("the registry answers again: all files of the image can be read")
