"""A RUN as its supervisor sees it: what is mounted besides, and the tar of what was written."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rootless import timings
from rootless.build.furniture import Furniture, Room
from rootless.build.mount_points import remove_mount_points
from rootless.containers.container import Container
from rootless.containers.root_files import RootFiles, walked
from rootless.containers.run_folder import RunFolder
from rootless.image import trees
from rootless.image.store import write_all
from rootless.image.store_errors import explain
from rootless.image.upper_layer import layer_chunks
from rootless.linux import mount_api
from rootless.oci.runtime_spec import Spec

_PLACE = "step"


class StepInside:
    """Furnishes a RUN, and makes a layer of it (`supervisor.Furnishing`).

    Args:
        container: What runs.
        files: The tree and its layers; the upperdir is known later.
        told: The descriptor that gets the tar.
        latest_ns: No file of it is younger than this; None for as it is.
        furniture: What is there for the run only.
        env: Variables that no record of the container has, NAME=VALUE each.
    """

    def __init__(
        self,
        container: Container,
        files: RootFiles,
        told: int,
        *,
        latest_ns: int | None = None,
        furniture: tuple[Furniture, ...] = (),
        env: tuple[str, ...] = (),
    ) -> None:
        self._container = container
        self._files = files
        self._told = told
        self._latest_ns = latest_ns
        self._furniture = furniture
        self._env = env
        self._room: Room | None = None
        self._destinations: tuple[str, ...] = ()

    def furnish(self, folder: RunFolder, spec: Spec) -> Spec:
        """Mount what is to be seen besides; return the spec that binds it."""
        mounts = list(spec.mounts)
        if self._furniture:
            place = folder.path / _PLACE
            place.mkdir(mode=0o755)
            flags = mount_api.MS_NODEV | mount_api.MS_NOSUID
            mount_api.mount("tmpfs", str(place), "tmpfs", flags, "mode=0755")
            self._room = Room(place, folder.path, self._container)
            mounts += [each.put(self._room) for each in self._furniture]
        self._destinations = tuple(mount.destination for mount in mounts)
        process = replace(spec.process, env=(*spec.process.env, *self._env))
        return replace(spec, mounts=tuple(mounts), process=process)

    def close(self) -> None:
        """End what was started."""
        if self._room is not None:
            self._room.close()

    def collect(self, upper: Path) -> None:
        """Write the tar of what was written."""
        with explain(upper):
            fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                with trees.open_tree(self._files.tree) as tree:
                    remove_mount_points(fd, tree, self._destinations)
            finally:
                os.close(fd)
        # who does not read to the end knows why
        with walked(replace(self._files, upper=upper)) as walk, suppress(BrokenPipeError):
            for chunk in layer_chunks(walk, latest_ns=self._latest_ns):
                write_all(self._told, chunk)
        os.close(self._told)
        timings.mark("layer written")
