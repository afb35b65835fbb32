"""What a container's root file system is made of, and a look at it without a mount."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rootless.containers.container import OverlayRoot
from rootless.containers.inside import InsideStream
from rootless.containers.lazy_layers import completed
from rootless.containers.located import located
from rootless.containers.overlay_root import overflow_ids
from rootless.containers.record import Record
from rootless.errors import Conflict, InvalidInput
from rootless.image import trees
from rootless.image.layers import Squash, TarContents, UpperFormError, UpperWalk
from rootless.image.store import write_all
from rootless.image.store_errors import explain
from rootless.paths import Paths, shared_folder
from rootless.userns.maps import Maps


@dataclass(frozen=True, slots=True)
class RootFiles:
    """A merged tree, and an upperdir over it.

    Attributes:
        tree: The tree's file.
        layers: The layers' tars, lowest first.
        upper: The upperdir proper; None where there is none, and so no change.
        maps: The ID maps of the container's user namespace.
    """

    tree: Path
    layers: tuple[Path, ...]
    upper: Path | None
    maps: Maps


def root_files(paths: Paths, record: Record) -> RootFiles:
    """Return what a container's root file system is made of.

    Args:
        paths: Where things lie.
        record: Which one.

    Raises:
        Conflict: It is a bundle's folder, or what it wrote is nowhere on a disk.
        NotFound: Its image has gone.
        RootlessError: Not all of its image is here, nor can it be fetched.
    """
    name = record.name
    container = completed(located(paths, record).container, paths)
    root = container.root
    if not isinstance(root, OverlayRoot):
        raise Conflict("the container has no image below it", name, "its files are the bundle's")
    files = RootFiles(root.tree, root.layers, None, container.maps)
    if root.kept is None and container.spec.root_readonly:
        return files
    passing = (paths.scratch, shared_folder() / "scratch")
    for folder in (root.kept,) if root.kept else [each / container.id for each in passing]:
        if (folder / "upper").is_dir():
            return replace(files, upper=folder / "upper")
    if root.kept is None:
        fix = "it ran without --name, and its changes are in memory or gone"
        raise Conflict("what the container changed is not on a disk", name, fix)
    return files  # it has never run


def read_inside(
    files: RootFiles, chunks: Callable[[UpperWalk, TarContents], Iterable[bytes]]
) -> InsideStream:
    """Return what is made of the files, chunk by chunk, inside the container's namespace.

    Reading raises InvalidInput where the files cannot be what is wanted, StoreError where they
    cannot be read.
    """

    def write(fd: int) -> None:
        with walked(files) as walk, TarContents(files.layers) as contents:
            for chunk in chunks(walk, contents):
                write_all(fd, chunk)

    return InsideStream(files.maps, write)


@contextmanager
def walked(files: RootFiles) -> Iterator[UpperWalk]:
    """Give the upperdir over its tree, to a process of the container's user namespace.

    Raises InvalidInput, StoreError.
    """
    maps = files.maps
    overflow_uid, overflow_gid = overflow_ids(maps)
    with explain(files.upper or files.tree):
        fd = -1
        if files.upper is not None:
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
            if fd >= 0:
                os.close(fd)
