"""A container's overlay, mounted for one process: the run's own, or for a look inside.

Called by root of the container's user namespace, in a mount namespace of its own.
"""

from pathlib import Path

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.run_folder import RunFolder
from rootless.overlay.driver import MountedRoot, OverlayRequest, mount_root
from rootless.overlay.upperdir import Upperdir
from rootless.userns.maps import Maps

_OVERFLOW = 65534


def mount_overlay(
    container: Container,
    root: OverlayRoot,
    folder: RunFolder,
    upperdir: Upperdir | None,
    *,
    fetcher_fd: int = -1,
) -> MountedRoot:
    """Mount the root file system in a run's folder; raises OverlayError.

    With *fetcher_fd*, which stays the caller's, what is missing of lazy layers can be read.
    """
    return mount_root(overlay_request(container, root, folder.path, upperdir, fetcher_fd))


def overlay_request(
    container: Container,
    root: OverlayRoot,
    folder: Path,
    upperdir: Upperdir | None,
    fetcher_fd: int = -1,
) -> OverlayRequest:
    """Return what is to be mounted, in a folder."""
    maps = container.maps
    overflow_uid, overflow_gid = overflow_ids(maps)
    return OverlayRequest(
        folder=folder,
        tree=root.tree,
        layers=root.layers,
        uid_ranges=maps.uid.inside_ranges(),
        gid_ranges=maps.gid.inside_ranges(),
        overflow_uid=overflow_uid,
        overflow_gid=overflow_gid,
        upperdir=upperdir,
        driver=root.driver,
        name=root.name,
        fetcher_fd=fetcher_fd,
    )


def overflow_ids(maps: Maps) -> tuple[int, int]:
    """Return how a mount shows owners that are not mapped: UID and GID."""
    return (
        _OVERFLOW if maps.uid.to_outside(_OVERFLOW) is not None else maps.user_uid,
        _OVERFLOW if maps.gid.to_outside(_OVERFLOW) is not None else maps.user_gid,
    )
