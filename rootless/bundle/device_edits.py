"""What a container gets with devices that need more than a node: a GPU's libraries, variables."""

from collections.abc import Iterable
from dataclasses import dataclass

from rootless.oci.runtime_spec import Mount


@dataclass(frozen=True, slots=True)
class DeviceEdits:
    """The changes, all of the host's side looked up.

    Attributes:
        nodes: Device nodes, (source, destination) each.
        mounts: Files and folders.
        env: NAME=VALUE.
        libraries: Shared libraries among the mounts, for the loader: (soname, path inside) each.
    """

    nodes: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    env: tuple[str, ...] = ()
    libraries: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes or self.mounts or self.env)


def merged(edits: Iterable[DeviceEdits]) -> DeviceEdits:
    """Return all changes in one; what two devices bring both is there once."""
    nodes: dict[str, tuple[str, str]] = {}
    mounts: dict[str, Mount] = {}
    env: dict[str, str] = {}
    libraries: dict[tuple[str, str], None] = {}
    for each in edits:
        nodes |= {node[1]: node for node in each.nodes}
        mounts |= {mount.destination: mount for mount in each.mounts}
        env |= {item.partition("=")[0]: item for item in each.env}
        libraries |= dict.fromkeys(each.libraries)
    return DeviceEdits(
        tuple(nodes.values()), tuple(mounts.values()), tuple(env.values()), tuple(libraries)
    )
