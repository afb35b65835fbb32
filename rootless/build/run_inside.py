"""A RUN as its supervisor sees it: what is mounted besides, and the tar of what was written."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from rootless import timings
from rootless.build.mount_points import remove_mount_points
from rootless.containers.root_files import RootFiles, walked
from rootless.containers.run_folder import RunFolder
from rootless.image import trees
from rootless.image.store import write_all
from rootless.image.store_errors import explain
from rootless.image.upper_layer import layer_chunks
from rootless.linux import mount_api
from rootless.oci.runtime_spec import Mount, Spec

_PLACE = "step"


@dataclass(frozen=True, slots=True)
class InnerFile:
    """A file that is there for the run only, in memory.

    Attributes:
        destination: Absolute path inside.
        data: Its contents.
        mode: Its permissions.
        uid: Owner inside.
        gid: Group inside.
    """

    destination: str
    data: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


class StepInside:
    """Furnishes a RUN, and makes a layer of it (`furnishing.Furnishing`).

    Args:
        files: The tree, its layers and the ID maps; the upperdir is known later.
        told: The descriptor that gets the tar.
        latest_ns: No file of it is younger than this; None for as it is.
        inner_files: What is there for the run only.
    """

    def __init__(
        self,
        files: RootFiles,
        told: int,
        latest_ns: int | None,
        inner_files: tuple[InnerFile, ...] = (),
    ) -> None:
        self._files = files
        self._told = told
        self._latest_ns = latest_ns
        self._inner_files = inner_files
        self._destinations: tuple[str, ...] = ()

    def furnish(self, folder: RunFolder, spec: Spec) -> Spec:
        """Mount what is to be seen besides; return the spec that binds it."""
        mounts = list(spec.mounts)
        if self._inner_files:
            place = folder.path / _PLACE
            place.mkdir(mode=0o755)
            flags = mount_api.MS_NODEV | mount_api.MS_NOSUID
            mount_api.mount("tmpfs", str(place), "tmpfs", flags, "mode=0755")
            mounts += [
                self._write(place / str(number), file)
                for number, file in enumerate(self._inner_files)
            ]
        self._destinations = tuple(mount.destination for mount in mounts)
        return replace(spec, mounts=tuple(mounts))

    def close(self) -> None:
        """End what was started."""

    def collect(self, upper: Path) -> None:
        """Write the tar of what was written."""
        with explain(upper):
            fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                with trees.open_tree(self._files.tree) as tree:
                    remove_mount_points(fd, tree, self._destinations)
            finally:
                os.close(fd)
        with walked(replace(self._files, upper=upper)) as walk:
            chunks = layer_chunks(walk, latest_ns=self._latest_ns)
            for chunk in chunks:
                write_all(self._told, chunk)
        os.close(self._told)
        timings.mark("layer written")

    def _write(self, path: Path, file: InnerFile) -> Mount:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, file.data)
            os.fchown(fd, file.uid, file.gid)
            os.fchmod(fd, file.mode)
        finally:
            os.close(fd)
        return Mount(file.destination, "bind", str(path), ("bind", "rprivate"))
