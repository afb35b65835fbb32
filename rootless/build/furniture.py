"""What a RUN has of its own for its time, put in place by its supervisor (`run_inside`).

Everything lies in a folder of memory in the supervisor's mount namespace, and goes with that.
"""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.overlay_root import mount_overlay
from rootless.containers.run_folder import RunFolder
from rootless.errors import InvalidInput, NotFound, OverlayError, RootlessError
from rootless.image.store import write_all
from rootless.linux.openat2 import open_in_root
from rootless.oci.runtime_spec import Mount
from rootless.overlay.driver import MountedRoot, mount_overlayfs


@dataclass(slots=True)
class Room:
    """Where things are put.

    Attributes:
        folder: A folder of memory.
        run_folder: The run's folder, which processes outside see, too.
        container: The container that they are for.
        roots: Images that are mounted for it.
        processes: What serves it.
        number: How many things there are.
    """

    folder: Path
    run_folder: Path
    container: Container
    roots: dict[OverlayRoot, MountedRoot] = field(default_factory=dict)
    processes: list[int] = field(default_factory=list)
    number: int = 0

    def place(self) -> Path:
        """Return the place of one more thing."""
        self.number += 1
        return self.folder / str(self.number)

    def root(self, root: OverlayRoot) -> Path:
        """Return where an image is mounted; what is written to it goes with the run."""
        if root not in self.roots:
            folder = self.run_folder / f"root-{len(self.roots)}"
            folder.mkdir(mode=0o700)
            self.roots[root] = mount_overlay(self.container, root, RunFolder(folder, -1), None)
        return self.roots[root].path

    def dress(self, path: Path, uid: int, gid: int, mode: int) -> None:
        """Give something its owner and permissions; where one ID is mapped, that is the owner.

        Raises InvalidInput for an owner that is not mapped.
        """
        try:
            if not self.container.maps.single:
                os.chown(path, uid, gid)
        except OSError as error:
            what = f"cannot give a mount its owner: {error.strerror}"
            raise InvalidInput(what, f"{uid}:{gid}", "name IDs that are mapped") from error
        os.chmod(path, mode)

    def close(self) -> None:
        """Take down what is mounted, end what serves."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.kill(process, 9)
            os.waitpid(process, 0)
        for root in self.roots.values():
            with suppress(OSError):
                root.unmount()


class Furniture(Protocol):
    """One thing."""

    def put(self, room: Room) -> Mount:
        """Put it in place; return the mount that shows it."""
        ...


@dataclass(frozen=True, slots=True)
class InnerFile:
    """A file.

    Attributes:
        destination: Absolute path inside.
        data: Its contents.
        mode: Its permissions.
        uid: Owner inside.
        gid: Group inside.
    """

    destination: str
    data: bytes = field(repr=False)
    mode: int = 0o644
    uid: int = 0
    gid: int = 0

    def put(self, room: Room) -> Mount:
        """Write it."""
        path = room.place()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, self.data)
            room.dress(path, self.uid, self.gid, self.mode)
        finally:
            os.close(fd)
        return Mount(self.destination, "bind", str(path), ("bind", "rprivate"))


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A folder or file of an image or a stage.

    Attributes:
        destination: Absolute path inside.
        root: The image.
        source: Path in it.
        is_writable: It can be written to; that goes with the run.
    """

    destination: str
    root: OverlayRoot
    source: str
    is_writable: bool

    def put(self, room: Room) -> Mount:
        """Mount the image."""
        path = inner(room.root(self.root), self.source)
        ways = ("rw",) if self.is_writable else ("ro",)
        return Mount(self.destination, "bind", path, ("bind", "rprivate", *ways))


@dataclass(frozen=True, slots=True)
class WritableFolder:
    """A folder or file of the host that can be written to; what is written goes with the run.

    Attributes:
        destination: Absolute path inside.
        source: Absolute path of the host.
    """

    destination: str
    source: str

    def put(self, room: Room) -> Mount:
        """Mount an overlay over it: over the folder that it is in, where it is a file."""
        folder, name = (
            (self.source, "") if os.path.isdir(self.source) else os.path.split(self.source)
        )
        place = room.place()
        upper, work, merged = (place / each for each in ("upper", "work", "merged"))
        for each in (upper, work, merged):
            each.mkdir(mode=0o755, parents=True)
        try:
            mount_overlayfs(Path(folder), upper, work, merged, volatile=False)
        except OSError as error:
            what = f"cannot make a writable view: {error.strerror}"
            raise OverlayError(what, self.source, "leave rw away, and copy it first") from error
        return Mount(self.destination, "bind", str(merged / name), ("bind", "rprivate"))


@dataclass(frozen=True, slots=True)
class CacheFolder:
    """A folder that is kept from build to build.

    Attributes:
        destination: Absolute path inside.
        folder: The folder; empty where it is new.
        is_writable: It can be written to.
        mode: Of a new one.
        uid: Owner of a new one, inside.
        gid: Its group.
        root: The image that a new one is filled from; None for none.
        source: Path in that.
    """

    destination: str
    folder: Path
    is_writable: bool
    mode: int
    uid: int
    gid: int
    root: OverlayRoot | None = None
    source: str = ""

    def put(self, room: Room) -> Mount:
        """Make it what it is to be when it is new."""
        data = self.folder / "data"
        if not os.path.exists(data):
            made = self.folder / f"new-{os.getpid()}"
            made.mkdir(mode=0o700)
            if self.root is not None:
                _copy(inner(room.root(self.root), self.source), made)
            room.dress(made, self.uid, self.gid, self.mode)
            try:
                made.rename(data)
            except OSError:  # another build was faster, and has put something in
                _remove(made)
        ways = ("rw",) if self.is_writable else ("ro",)
        return Mount(self.destination, "bind", str(data), ("bind", "rprivate", *ways))


@dataclass(frozen=True, slots=True)
class AgentSocket:
    """The socket of the user's ssh-agent, passed on by a process: the agent serves its user only.

    Attributes:
        destination: Absolute path inside.
        path: The agent's socket.
        mode: Its permissions.
        uid: Owner inside.
        gid: Group inside.
    """

    destination: str
    path: str
    mode: int
    uid: int
    gid: int

    def put(self, room: Room) -> Mount:
        """Listen, and start the process."""
        from rootless.build.agent_relay import start_relay  # noqa: PLC0415 - of few builds

        place = room.place()
        room.processes.append(start_relay(str(place), self.path))
        room.dress(place, self.uid, self.gid, self.mode)
        return Mount(self.destination, "bind", str(place), ("bind", "rprivate"))


def inner(root: str | Path, source: str) -> str:
    """Return the path of something below a folder, whose links lead nowhere else.

    Raises NotFound.
    """
    root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fd = open_in_root(root_fd, source.lstrip("/") or ".", os.O_PATH)
    except OSError as error:
        raise NotFound(f"cannot mount: {error.strerror}", source) from error
    finally:
        os.close(root_fd)
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def _copy(source: str, target: Path) -> None:
    words = ("cp", "-a", "--", f"{source}/.", str(target))
    done = subprocess.run(words, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RootlessError("cannot fill a new cache", done.stderr.decode(errors="replace").strip())


def _remove(path: Path) -> None:
    from rootless.linux.remove_tree import remove_tree  # noqa: PLC0415

    remove_tree(path)
