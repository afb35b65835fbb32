"""The container's side of a copy: the container as it runs, or as it would be started."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rootless.containers.container import OverlayRoot
from rootless.containers.container_root import mounted_root, root_of_process
from rootless.containers.cp import ContainerSide
from rootless.containers.record import Record
from rootless.containers.run_folder import RunFolder
from rootless.errors import Conflict
from rootless.overlay.upperdir import open_upperdir
from rootless.paths import Paths


@contextmanager
def side_of(paths: Paths, record: Record, init: tuple[int, int] | None) -> Iterator[ContainerSide]:
    """Give the side of a container; what does not run is kept from starting meanwhile.

    Args:
        paths: Where things lie.
        record: Which one.
        init: Process ID and start time of its PID 1; None where it does not run.

    Raises:
        Conflict: It has just been started, or keeps no files.
        StoreError: There is no place for its mount.
    """
    container = record.container
    user = container.spec.process.user
    owner = (user.uid, user.gid)
    if init is not None:
        running = init
        yield ContainerSide(lambda: root_of_process(*running), None, container.maps, owner)
        return
    with ExitStack() as stack:
        upperdir = None
        if isinstance(container.root, OverlayRoot):
            if container.root.kept is None:
                fix = "it keeps no files: copy while it runs"
                raise Conflict("the container does not run", record.name, fix)
            upperdir = open_upperdir(container.root.kept, ephemeral=False)
            stack.callback(upperdir.close)
        folder = RunFolder.create(paths, secrets.token_hex(32))
        stack.callback(folder.remove)
        yield ContainerSide(
            lambda: mounted_root(container, folder, upperdir), container.maps, container.maps, owner
        )
