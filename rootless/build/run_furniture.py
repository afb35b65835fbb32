"""From what a RUN asks for by `--mount` to what is mounted: looked up, and nothing mounted yet."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rootless.build import cache_mounts, run_mounts
from rootless.build.furniture import (
    AgentSocket,
    CacheFolder,
    Furniture,
    ImagePart,
    InnerFile,
    WritableFolder,
    inner,
)
from rootless.build.run_mounts import RunMount
from rootless.build.secrets import Secret
from rootless.containers.container import OverlayRoot
from rootless.errors import InvalidInput, NotFound
from rootless.image import trees
from rootless.image.store import Store
from rootless.oci.digest import Digest
from rootless.oci.runtime_spec import Mount

_CACHE_MODE, _SECRET_MODE, _SOCKET_MODE, _TMPFS_MODE = 0o755, 0o400, 0o600, 0o1777
_AGENT_VARIABLE = "SSH_AUTH_SOCK"


@dataclass(frozen=True, slots=True)
class Offered:
    """What mounts can be of.

    Attributes:
        secrets: `--secret`, by ID.
        sockets: `--ssh`, by ID.
        context: The build's context as a folder; "" where it is none.
        layers_of: Returns the layers of a stage or an image, by the name that a RUN has for it.
    """

    secrets: Mapping[str, Secret] = field(default_factory=dict)
    sockets: Mapping[str, str] = field(default_factory=dict)
    context: str = ""
    layers_of: Callable[[str], Sequence[Digest]] | None = None


@dataclass(slots=True)
class Asked:
    """What comes of a RUN's mounts.

    Attributes:
        mounts: Of the spec.
        furniture: Put in place inside.
        env: Variables with secrets, and of sockets.
    """

    mounts: list[Mount] = field(default_factory=list)
    furniture: list[Furniture] = field(default_factory=list)
    env: list[str] = field(default_factory=list)


def look_up(
    store: Store,
    asked: Sequence[RunMount],
    offered: Offered,
    driver: str,
    owned: ExitStack,
) -> Asked:
    """Return what the mounts come to.

    Args:
        store: Has layers and caches.
        asked: The mounts, in the order in which they are written.
        offered: What they can be of.
        driver: The overlay driver.
        owned: Gets the locks of caches.

    Raises:
        InvalidInput, NotFound: There is no such thing.
        StoreError: The store cannot have a cache.
    """
    found = Asked()
    for mount in sorted(asked, key=lambda each: each.target.count("/")):
        if mount.kind == run_mounts.BIND:
            _bind(store, mount, offered, driver, found)
        elif mount.kind == run_mounts.CACHE:
            folder = owned.enter_context(cache_mounts.opened(store, mount.id, mount.sharing))
            found.furniture.append(_cache(store, mount, offered, driver, folder))
        elif mount.kind == run_mounts.TMPFS:
            found.mounts.append(_tmpfs(mount))
        elif mount.kind == run_mounts.SECRET:
            _secret(mount, offered, found)
        else:
            _socket(mount, offered, found)
    return found


def _bind(store: Store, mount: RunMount, offered: Offered, driver: str, found: Asked) -> None:
    if mount.origin:
        root = _root(store, mount, offered, driver)
        part = ImagePart(mount.target, root, mount.source, mount.is_writable)
        found.furniture.append(part)
        return
    if not offered.context:
        raise InvalidInput("the context is no folder that could be mounted", mount.target)
    path = inner(offered.context, mount.source)
    if mount.is_writable:
        found.furniture.append(WritableFolder(mount.target, path))
    else:
        found.mounts.append(Mount(mount.target, "bind", path, ("rbind", "rprivate", "ro")))


def _cache(
    store: Store, mount: RunMount, offered: Offered, driver: str, folder: Path
) -> CacheFolder:
    return CacheFolder(
        mount.target,
        folder,
        mount.is_writable,
        _CACHE_MODE if mount.mode is None else mount.mode,
        mount.uid,
        mount.gid,
        _root(store, mount, offered, driver) if mount.origin else None,
        mount.source,
    )


def _root(store: Store, mount: RunMount, offered: Offered, driver: str) -> OverlayRoot:
    if offered.layers_of is None:
        raise NotFound("no such stage or image", mount.origin)
    place = trees.located(store, offered.layers_of(mount.origin), may_grow=True)
    return OverlayRoot(place.tree, place.layers, driver, "rootless:build")


def _tmpfs(mount: RunMount) -> Mount:
    mode = _TMPFS_MODE if mount.mode is None else mount.mode
    options = ["nosuid", "nodev", f"mode={mode:o}", *([f"size={mount.size}"] if mount.size else [])]
    return Mount(mount.target, "tmpfs", "tmpfs", tuple(options))


def _secret(mount: RunMount, offered: Offered, found: Asked) -> None:
    secret = offered.secrets.get(mount.id)
    if secret is None:
        if mount.is_required:
            fix = f"--secret id={mount.id},src=FILE"
            raise NotFound("a secret is required and was not given", mount.id, fix)
        return
    data = secret.read(os.environ)
    if mount.env:
        if b"\0" in data:
            raise InvalidInput("a secret with a NUL cannot be in a variable", mount.id)
        found.env.append(f"{mount.env}={os.fsdecode(data)}")
    if mount.target:
        mode = _SECRET_MODE if mount.mode is None else mount.mode
        found.furniture.append(InnerFile(mount.target, data, mode, mount.uid, mount.gid))


def _socket(mount: RunMount, offered: Offered, found: Asked) -> None:
    path = offered.sockets.get(mount.id)
    if path is None:
        if mount.is_required:
            raise NotFound("an agent is required and was not given", mount.id, f"--ssh {mount.id}")
        return
    mode = _SOCKET_MODE if mount.mode is None else mount.mode
    found.furniture.append(AgentSocket(mount.target, path, mode, mount.uid, mount.gid))
    if not any(each.startswith(f"{_AGENT_VARIABLE}=") for each in found.env):
        found.env.append(f"{_AGENT_VARIABLE}={mount.target}")
