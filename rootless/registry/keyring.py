"""Finding, keeping and dropping credentials over all places that may have them.

A name is looked up from its whole to its host: `quay.io/org/image`, `quay.io/org`, `quay.io`. In
each auth file a helper for the key comes first, then the entry, then the helper for everything.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rootless.errors import InvalidInput
from rootless.oci.reference import DOCKER_HUB
from rootless.registry.auth_file import (
    AuthFile,
    read_auth_file,
    remove_entries,
    write_entry,
)
from rootless.registry.credential_helper import (
    ask_helper,
    erase_in_helper,
    store_in_helper,
)
from rootless.registry.credentials import Credentials

log = logging.getLogger(__name__)

# What Docker calls Docker Hub in its files and helpers.
_DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_AUTH_FILES = "containers-auth.json"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Where credentials are.

    Attributes:
        paths: The auth files, in the order in which they are asked; the first is written.
        helpers: The programs that registries.conf names, asked first.
        given: What the command line says, by host; nobody else is asked for those.
    """

    paths: tuple[Path, ...] = ()
    helpers: tuple[str, ...] = ()
    given: Mapping[str, Credentials] = field(default_factory=dict)

    def find(self, name: str) -> Credentials | None:
        """Return the credentials for a repository, or a registry, of this name; None for nobody.

        Runs helper programs, which may wait for the user: call it in a thread.
        """
        host = name.partition("/")[0]
        if host in self.given:
            return self.given[host]
        for helper in self.helpers:
            if helper != _AUTH_FILES:
                found = _ask(helper, host)
                if found is not None:
                    return found
        for path in self.paths:
            file = read_auth_file(path)
            found = _found_in(file, name) if file is not None else None
            if found is not None:
                log.debug("credentials for %r come from %s", name, path)
                return found
        return None

    def keep(self, key: str, credentials: Credentials) -> str:
        """Keep credentials under `HOST[/NAMESPACE]`; return where they are now."""
        path = self.paths[0]
        helper = self._helper_for(key)
        if helper:
            store_in_helper(helper, _helper_key(key), credentials)
            return f"docker-credential-{helper}"
        write_entry(path, key, credentials)
        return str(path)

    def drop(self, key: str) -> bool:
        """Forget what is kept under a key; return whether there was something."""
        helper = self._helper_for(key)
        was_with_helper = bool(helper) and erase_in_helper(helper, _helper_key(key))
        names = set(_spellings(key))
        return remove_entries(self.paths[0], names.__contains__) or was_with_helper

    def drop_all(self) -> bool:
        """Forget everything that is kept in the file that logins write."""
        file = read_auth_file(self.paths[0])
        if file is None:
            return False
        dropped = [erase_in_helper(helper, key) for key, helper in file.helpers.items()]
        if file.store:
            dropped += [erase_in_helper(file.store, _helper_key(key)) for key in file.entries]
        return remove_entries(self.paths[0], lambda _key: True) or any(dropped)

    def _helper_for(self, key: str) -> str:
        """Return the helper that a login of this key goes to, or ""."""
        file = read_auth_file(self.paths[0])
        named = next((name for name in self.helpers if name != _AUTH_FILES), "")
        if file is None:
            return named
        return file.helpers.get(key) or file.store or named


def login_key(text: str) -> str:
    """Return the key for what the user calls a registry: `HOST[:PORT][/NAMESPACE]`."""
    key = text
    for scheme in ("https://", "http://"):
        key = key.removeprefix(scheme)
    key = key.rstrip("/")
    host, _, path = key.partition("/")
    if host in ("index.docker.io", "registry-1.docker.io"):
        host = DOCKER_HUB
        path = "" if path in ("v1", "v2") else path
    if not host or any(c.isspace() or c in "@?#" for c in key):
        raise InvalidInput("not a registry", text or "''", "give HOST[:PORT] or HOST/NAMESPACE")
    return f"{host}/{path}" if path else host


def _found_in(file: AuthFile, name: str) -> Credentials | None:
    for key in _keys(name):
        helper = file.helpers.get(key)
        if helper is not None:
            return _ask(helper, key)
        for spelling in _spellings(key):
            if spelling in file.entries:
                return file.entries[spelling]
    return _ask(file.store, name.partition("/")[0]) if file.store else None


def _keys(name: str) -> Iterator[str]:
    """Yield a name and all above it, its host last."""
    while name:
        yield name
        name = name.rpartition("/")[0]


def _spellings(key: str) -> Iterator[str]:
    """Yield the forms of a key that tools have written."""
    yield key
    if "/" in key:
        return
    if key == DOCKER_HUB:
        yield from (_DOCKER_HUB_KEY, "index.docker.io", "registry-1.docker.io")
    for scheme in ("https://", "http://"):
        yield from (f"{scheme}{key}", f"{scheme}{key}/", f"{scheme}{key}/v1/", f"{scheme}{key}/v2/")


def _ask(helper: str, host: str) -> Credentials | None:
    if host != DOCKER_HUB:
        return ask_helper(helper, host)
    return ask_helper(helper, _DOCKER_HUB_KEY) or ask_helper(helper, host)


def _helper_key(key: str) -> str:
    return _DOCKER_HUB_KEY if key == DOCKER_HUB else key
