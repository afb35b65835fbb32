"""Which registries there are and where they really are: containers-registries.conf(5), version 2.

Read as podman and skopeo read it: one main file, then the files `*.conf` of the folders
registries.conf.d (containers-registries.conf.d(5)), each of which may replace a registry of the
same prefix, a setting, or an alias; at last the aliases that podman has recorded.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rootless.errors import InvalidInput
from rootless.oci.document import Node

_MAX_BYTES = 4 << 20
_SYSTEM = Path("/etc/containers")
_MODES = ("enforcing", "permissive", "disabled")
_PULLS = ("all", "digest-only", "tag-only")


@dataclass(frozen=True, slots=True)
class Mirror:
    """Another place of a registry's images.

    Attributes:
        location: Registry, and what takes the place of the prefix.
        insecure: Whether HTTP and certificates that nobody vouches for are good enough.
        pulls: What it is asked for: "all", "digest-only" or "tag-only".
    """

    location: str
    insecure: bool = False
    pulls: str = "all"


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """One `[[registry]]` table; `prefix` may begin with `*.`, `location` be empty then."""

    prefix: str
    location: str = ""
    insecure: bool = False
    blocked: bool = False
    mirrors: tuple[Mirror, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistriesConf:
    """All files together.

    Attributes:
        entries: By prefix.
        search: Registries for short names, in order; None where no file says anything.
        aliases: Full names of short names.
        short_name_mode: "enforcing", "permissive" or "disabled".
        credential_helpers: Where credentials are kept, by default in the auth files.
    """

    entries: Mapping[str, RegistryEntry] = field(default_factory=dict)
    search: tuple[str, ...] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    short_name_mode: str = "permissive"
    credential_helpers: tuple[str, ...] = ()


def load_registries_conf(environ: Mapping[str, str], home: Path) -> RegistriesConf:
    """Read the files that are there; raises InvalidInput that names the file and the place."""
    conf = RegistriesConf()
    for path in _files(environ, home):
        conf = _over(conf, path)
    return conf


def parse_registries_conf(data: bytes, what: str) -> RegistriesConf:
    """Read one file's text; *what* names it in errors."""
    try:
        document = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidInput("not TOML", f"{what}: {error}") from None
    node = Node(document, what)
    if node.get("registries") is not None:
        fix = "write it as version 2: unqualified-search-registries = [...], [[registry]] tables"
        raise InvalidInput("version 1 of registries.conf is not supported", what, fix)
    search = node.get("unqualified-search-registries")
    entries = [_entry(item) for item in node.members("registry")]
    mode = node.get("short-name-mode")
    return RegistriesConf(
        entries={entry.prefix: entry for entry in entries},
        search=None if search is None else node.texts("unqualified-search-registries"),
        aliases=node.mapping("aliases"),
        short_name_mode=mode.one_of(("", *_MODES)) if mode is not None else "",
        credential_helpers=node.texts("credential-helpers"),
    )


def _files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    user = home / ".config/containers"
    folders = [_SYSTEM / "registries.conf.d", user / "registries.conf.d"]
    given = environ.get("CONTAINERS_REGISTRIES_CONF")
    if given:
        yield Path(given)
    elif os.path.exists(user / "registries.conf"):
        yield user / "registries.conf"
        folders = folders[1:]  # the user's file stands for all of the system's
    elif os.path.exists(_SYSTEM / "registries.conf"):
        yield _SYSTEM / "registries.conf"
    for folder in folders:
        if os.path.isdir(folder):
            yield from sorted(folder.glob("*.conf"))
    recorded = home / ".cache/containers/short-name-aliases.conf"
    if os.path.exists(recorded):
        yield recorded


def _over(conf: RegistriesConf, path: Path) -> RegistriesConf:
    """Return the settings with one more file's over them."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"cannot read: {error.strerror}", os.fspath(path)) from error
    if len(data) > _MAX_BYTES:
        raise InvalidInput("too large for a registries.conf", os.fspath(path))
    new = parse_registries_conf(data, os.fspath(path))
    aliases = {**conf.aliases, **new.aliases}
    return RegistriesConf(
        entries={**conf.entries, **new.entries},
        search=conf.search if new.search is None else new.search,
        aliases={name: value for name, value in aliases.items() if value},
        short_name_mode=new.short_name_mode or conf.short_name_mode,
        credential_helpers=new.credential_helpers or conf.credential_helpers,
    )


def _entry(node: Node) -> RegistryEntry:
    location = _trimmed(node, "location")
    prefix = _trimmed(node, "prefix") or location
    if not prefix:
        raise node.fault("has neither prefix nor location")
    is_wildcard = prefix.startswith("*.")
    if "*" in prefix.removeprefix("*.") or (is_wildcard and any(c in prefix for c in "/:@")):
        raise node.require("prefix").fault("may hold * only as *.HOST, without port and path")
    if not location and not is_wildcard:
        location = prefix
    by_digest_only = node.flag("mirror-by-digest-only")
    return RegistryEntry(
        prefix=prefix,
        location=location,
        insecure=node.flag("insecure"),
        blocked=node.flag("blocked"),
        mirrors=tuple(
            _mirror(item, by_digest_only=by_digest_only) for item in node.members("mirror")
        ),
    )


def _mirror(node: Node, *, by_digest_only: bool) -> Mirror:
    location = _trimmed(node, "location")
    if not location:
        raise node.fault("has no location")
    wanted = node.get("pull-from-mirror")
    pulls = (wanted.one_of(("", *_PULLS)) if wanted is not None else "") or "all"
    if by_digest_only:
        if wanted is not None:
            raise wanted.fault("cannot be given together with mirror-by-digest-only")
        pulls = "digest-only"
    return Mirror(location, node.flag("insecure"), pulls)


def _trimmed(node: Node, key: str) -> str:
    """Return a location without its last slash; a URL is a mistake that is worth a word."""
    text = node.text(key)
    if "://" in text:
        raise node.require(key).fault("is a URL; write the host and path alone")
    return text.rstrip("/")
