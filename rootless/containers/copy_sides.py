"""The container's side of a copy: the container as it runs, or as it would be started."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from rootless.containers.container import OverlayRoot
from rootless.containers.container_root import mounted_root, root_of_process
from rootless.containers.cp import ContainerSide
from rootless.containers.lazy_layers import completed
from rootless.containers.located import located
from rootless.containers.record import Record
from rootless.containers.run_folder import RunFolder
from rootless.containers.status import Status
from rootless.errors import Conflict
from rootless.overlay.upperdir import open_upperdir
from rootless.paths import Paths


@contextmanager
def side_of(paths: Paths, record: Record, status: Status) -> Iterator[ContainerSide]:
    """Give the side of a container; what does not run is kept from starting meanwhile.

    Args:
        paths: Where things lie.
        record: Which one.
        status: Where it is in its life.

    Raises:
        Conflict: It has just been started, or keeps no files.
        NotFound: Its image has gone.
        StoreError: There is no place for its mount.
    """
    container = record.container
    user = container.spec.process.user
    owner = (user.uid, user.gid)
    if status.is_alive:
        # not PID 1: that is a fork of ours, and closed to others
        workload = status.live.workload if status.live is not None else None
        if workload is None:
            raise Conflict("the container is just being started", record.name, "try again")
        enter = partial(root_of_process, workload.pid, workload.started)
        yield ContainerSide(enter, None, container.maps, owner)
        return
    container = located(paths, record).container
    with ExitStack() as stack:
        upperdir = None
        if isinstance(container.root, OverlayRoot):
            if container.root.kept is None:
                fix = "it keeps no files: copy while it runs"
                raise Conflict("the container does not run", record.name, fix)
            upperdir = open_upperdir(container.root.kept, ephemeral=False)
            stack.callback(upperdir.close)
            container = completed(container, paths)
        folder = RunFolder.create(paths, secrets.token_hex(32))
        stack.callback(folder.remove)
        yield ContainerSide(
            partial(mounted_root, container, folder, upperdir),
            container.maps,
            container.maps,
            owner,
        )
