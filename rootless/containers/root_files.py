"""What a container's root file system is made of, and a look at it without a mount."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.inside import InsideStream
from rootless.containers.overlay_root import overflow_ids
from rootless.errors import Conflict, InvalidInput
from rootless.image import trees
from rootless.image.layers import Squash, TarContents, UpperFormError, UpperWalk
from rootless.image.store import write_all
from rootless.image.store_errors import explain
from rootless.paths import Paths
from rootless.userns.maps import Maps


@dataclass(frozen=True, slots=True)
class RootFiles:
    """A merged tree, and an upperdir over it.

    Attributes:
        tree: The tree's file.
        layers: The layers' tars, lowest first.
        upper: The upperdir proper.
        maps: The ID maps of the container's user namespace.
    """

    tree: Path
    layers: tuple[Path, ...]
    upper: Path
    maps: Maps


def root_files(paths: Paths, container: Container, name: str) -> RootFiles:
    """Return what a container's root file system is made of.

    Args:
        paths: Where things lie.
        container: Which one.
        name: What the user calls it.

    Raises:
        Conflict: It is a bundle's folder, or nothing that it wrote is on a disk.
    """
    root = container.root
    if not isinstance(root, OverlayRoot):
        raise Conflict("the container has no image below it", name, "its files are the bundle's")
    folder = root.kept or paths.scratch / container.id
    if not (folder / "upper").is_dir():
        fix = "it is read-only, keeps its changes in memory, or was never started"
        raise Conflict("nothing that the container changed is on a disk", name, fix)
    return RootFiles(root.tree, root.layers, folder / "upper", container.maps)


def read_inside(
    files: RootFiles, chunks: Callable[[UpperWalk, TarContents], Iterable[bytes]]
) -> InsideStream:
    """Return what is made of the files, chunk by chunk, inside the container's namespace.

    Reading raises InvalidInput where the files cannot be what is wanted, StoreError where they
    cannot be read.
    """

    def write(fd: int) -> None:
        with _walk(files) as walk, TarContents(files.layers) as contents:
            for chunk in chunks(walk, contents):
                write_all(fd, chunk)

    return InsideStream(files.maps, write)


@contextmanager
def _walk(files: RootFiles) -> Iterator[UpperWalk]:
    maps = files.maps
    overflow_uid, overflow_gid = overflow_ids(maps)
    with explain(files.upper):
        fd = os.open(files.upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with trees.open_tree(files.tree) as tree:
                yield UpperWalk(
                    fd,
                    tree,
                    Squash(maps.uid.inside_ranges(), overflow_uid),
                    Squash(maps.gid.inside_ranges(), overflow_gid),
                )
        except UpperFormError as error:
            raise InvalidInput("cannot read what the container changed", str(error)) from error
        finally:
            os.close(fd)
