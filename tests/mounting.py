"""Mounts of tests/mounted: a scenario runs as root of new user and mount namespaces, over a mount.

`Mounting.run` forks, enters the namespaces, starts a server over the layers and calls the scenario
with what is mounted; the scenario's failure is the test's, with its traceback. Afterwards the mount
must be gone and the server's log empty: a traceback in it is a failure too.
"""

import os
import pickle
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import images
import trees

from fuse.server_config import ServerConfig
from rootless.linux import mount_api
from rootless.linux.namespaces import CLONE_NEWNS, unshare
from rootless.overlay import spare
from rootless.overlay.serve import Server, start_server
from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, Maps, choose_maps
from rootless.userns.subid import Caller


@dataclass
class Mount:
    """What a scenario sees.

    Attributes:
        root: The mounted tree.
        upper: The upperdir; a file in it is what a change left.
        server: The server behind the mount.
        single_id: Whether the user namespace has one ID only.
    """

    root: Path
    upper: Path
    work: Path
    server: Server
    single_id: bool
    config: ServerConfig
    fds: tuple[int, ...] = ()
    expects_log: bool = False

    def remount(self) -> None:
        """Unmount and mount again over the same upperdir: what is on disk is all that stays."""
        mount_api.umount(str(self.root), 0)
        self.server.stop()
        self.server = start_server(self.config, self.fds)

    def read_only_upper(self, *, now: bool) -> None:
        """Make the upperdir's file system read-only, or writable again."""
        flags = mount_api.MS_REMOUNT | (mount_api.MS_RDONLY if now else 0)
        mount_api.mount(None, str(self.upper.parent), None, flags)

    def path(self, inner: str) -> Path:
        """Return an inner path's place in the mount."""
        return self.root / inner


@dataclass
class Mounting:
    """Makes mounts for one test."""

    folder: Path
    maps: Maps
    single_id: bool
    options: dict[str, Any] = field(default_factory=dict)
    file_system: tuple[str, str] = ("", "")
    """Type and options of what is mounted, in the namespace, for upperdir and workdir."""
    storage_folder: Path | None = None
    """Where they lie instead, on a file system that is mounted already."""
    convert: Callable[[Path], Path] | None = None
    """Makes another form of a layer out of its tar, and returns that layer's path."""
    before: Callable[[], None] | None = None
    """Called in the namespaces before the server is started, which gets what that changes."""
    stem_fd: int | None = None
    """Leads to what forks the servers; without, each is a program of its own."""

    @property
    def storage(self) -> Path:
        """Where upperdir and workdir lie."""
        if self.storage_folder is not None:
            return self.storage_folder
        return self.folder / "storage" if self.file_system[0] else self.folder

    def run(
        self,
        layers: Sequence[images.Layer],
        scenario: Callable[[Mount], None],
        *,
        writable: bool = True,
    ) -> None:
        """Run a scenario over a fresh mount of these layers."""
        tree = trees.build_tree(self.folder / "layers", layers)
        paths = [trees.tar_path(tree.parent, n) for n in range(len(layers))]
        tars = tuple(str(path if self.convert is None else self.convert(path)) for path in paths)
        outcome = self.folder / "outcome"

        def child() -> None:
            try:
                self._inside(tree, tars, scenario, writable=writable)
            except BaseException:  # noqa: BLE001 - carried over to the test's process
                outcome.write_bytes(pickle.dumps(traceback.format_exc()))

        run_inside(self.maps, child)
        if outcome.exists():
            raise AssertionError(pickle.loads(outcome.read_bytes()))

    def _inside(
        self,
        tree: Path,
        tars: tuple[str, ...],
        scenario: Callable[[Mount], None],
        *,
        writable: bool,
    ) -> None:
        unshare(CLONE_NEWNS)
        mount_api.mount(None, "/", None, mount_api.MS_REC | mount_api.MS_PRIVATE)
        root, upper, work = self.folder / "root", self.storage / "upper", self.storage / "work"
        kind, options = self.file_system
        if kind:
            self.storage.mkdir()
            mount_api.mount(kind, str(self.storage), kind, 0, options)
        for folder in (root, upper, work):
            folder.mkdir(exist_ok=True)
        fds = tuple(os.open(each, os.O_RDONLY | os.O_DIRECTORY) for each in (upper, work))
        if self.before is not None:
            self.before()
        elif self.stem_fd is not None:
            spare.ask(self.stem_fd)  # in this process, which is a fork
        log = self.folder / "server.log"
        config = ServerConfig(
            mountpoint=str(root),
            tree=str(tree),
            layers=tars,
            ready_fd=-1,
            upperdir_fd=fds[0] if writable else -1,
            workdir_fd=fds[1] if writable else -1,
            uid_map=self.maps.uid.inside_ranges(),
            gid_map=self.maps.gid.inside_ranges(),
            overflow_uid=0,
            overflow_gid=0,
            log_path=str(log),
            **self.options,
        )
        server = start_server(config, fds)
        mount = Mount(root, upper, work, server, self.single_id, config, fds)
        try:
            scenario(mount)
        finally:
            if is_mounted(root):
                mount_api.umount(str(root), mount_api.MNT_DETACH)
            mount.server.stop()
        said = complaints(log.read_text())
        assert mount.expects_log or not said, f"the server logged:\n{said}"
        leftovers = os.listdir(work)
        assert not leftovers, f"left in the workdir: {leftovers}"


def complaints(log: str) -> str:
    """Return what a server logged, less libfuse's word on a read that raced with the unmount."""
    return log.replace("fuse: reading device: Software caused connection abort\n", "")


def is_mounted(path: Path) -> bool:
    """Tell whether this process's mount table has something at a path."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return any(line.split()[4] == str(path) for line in lines)


def maps_for(id_map: str) -> Maps:
    """Return the maps that the fixture `id_map` names."""
    mode = "single" if id_map == "single-id" else ""
    return choose_maps(MapRequest(mode=mode), Caller.current())
