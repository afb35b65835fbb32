"""Copies between a container and the host: all of `rootless cp` but its parsing.

What is copied passes as a tar from one process to another: the container's side is always in a
process of its own (`container_root`), in the container's user namespace. Each side resolves its
paths by itself, by descriptor: `pack` reads, `unpack` writes. One byte goes before the tar of a
container: whether it is a folder's.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rootless.containers.copy_paths import Open, Source, open_source, source_of, target_of
from rootless.containers.inside import InsideStream, feed
from rootless.containers.pack import Packer
from rootless.containers.unpack import Locate, Rules, Unpacker
from rootless.errors import InvalidInput, NotFound
from rootless.image.byte_stream import ByteStream
from rootless.image.decompress import opened
from rootless.image.standard_input import piped
from rootless.image.store import write_all
from rootless.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, open_in_root, openat2
from rootless.userns.idmap import IDMap
from rootless.userns.maps import Maps

_STEP = 1 << 20
_FOLDER, _FILE = b"d", b"f"
_SET_IDS = stat.S_ISUID | stat.S_ISGID
_EVERYTHING = Source("", is_folder=True, contents_only=True)
_STDIN = "standard input"

Owner = Callable[[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ContainerSide:
    """A container whose files are copied.

    Attributes:
        enter: Called in a process of its own; gives the root directory there.
        new_maps: Maps of the user namespace that is made for that process; None where it joins one.
        maps: The container's.
        owner: UID and GID of the container's process.
    """

    enter: Callable[[], AbstractContextManager[int]]
    new_maps: Maps | None
    maps: Maps
    owner: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Options:
    """How to copy.

    Attributes:
        chown: What comes into a container belongs to the user of its process.
        overwrite: Folders give way to other things, and the other way round.
    """

    chown: bool = True
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class _Reach:
    """How one side gets at its files.

    Attributes:
        open: Opens a path that a user gave.
        below: Returns what opens paths below a folder, for the names that a tar has.
    """

    open: Open
    below: Callable[[str], Locate]


def to_host(side: ContainerSide, path: str, destination: str, options: Options) -> list[str]:
    """Copy from a container to a path of the host; return what was left out.

    What arrives belongs to the caller; set-ID bits, which would make it run as him, do not.

    Raises:
        NotFound, Conflict, InvalidInput: The paths do not allow it.
        RootlessError: What the kernel refuses.
    """
    rules = Rules(mode_mask=0o7777 & ~_SET_IDS, overwrite=options.overwrite)
    with _packed(side, path, is_named=False) as stream:
        source = _source_ahead(stream, path)
        left_out = _unpack(stream, _Reach(_open_on_host, _beneath), destination, source, rules)
        while stream.read(_STEP):
            pass
        return [*stream.said, *left_out]


def to_stream(side: ContainerSide, path: str) -> list[str]:
    """Write a tar of a path of a container to standard output; return what was left out."""
    if sys.stdout.isatty():
        fix = "redirect standard output, or name a file or folder"
        raise InvalidInput("no tar is written to a terminal", "standard output", fix)
    sys.stdout.flush()
    with _packed(side, path, is_named=True) as stream:
        _source_ahead(stream, path)
        while chunk := stream.read(_STEP):
            write_all(sys.stdout.fileno(), chunk)
        return stream.said


def to_container(source: str, side: ContainerSide, path: str, options: Options) -> list[str]:
    """Copy from a path of the host into a container; return what was left out."""
    fd = open_source(_open_on_host, source)
    try:
        what = source_of(source, os.fstat(fd).st_mode)
        packer = Packer(fd, ".")
        owner = _owner(side, _mapped(side.maps), chown=options.chown)
        said = _feed(side, packer.chunks(), path, what, Rules(owner, overwrite=options.overwrite))
        return [*packer.left_out, *said]
    finally:
        os.close(fd)


def from_stream(side: ContainerSide, path: str, options: Options) -> list[str]:
    """Unpack the tar on standard input, compressed or not, into a folder of a container."""
    stdin = piped("nothing to copy", "pipe a tar in")
    owner = _owner(side, _as_told(side.maps), chown=options.chown)
    with (
        open(os.dup(stdin), "rb", buffering=0) as raw,
        opened(raw, _STDIN) as stream,
    ):
        chunks = iter(lambda: stream.read(_STEP) or b"", b"")
        rules = Rules(owner, overwrite=options.overwrite, follows_folders=True)
        return _feed(side, chunks, path, _EVERYTHING, rules)


def between(
    source: ContainerSide, source_path: str, side: ContainerSide, path: str, options: Options
) -> list[str]:
    """Copy from one container to another."""
    owner = _owner(side, _as_told(side.maps), chown=options.chown)
    with _packed(source, source_path, is_named=False) as stream:
        what = _source_ahead(stream, source_path)
        chunks = iter(lambda: stream.read(_STEP) or b"", b"")
        rules = Rules(owner, overwrite=options.overwrite)
        said = _feed(side, chunks, path, what, rules)
        return [*stream.said, *said]


def _packed(side: ContainerSide, path: str, *, is_named: bool) -> InsideStream:
    """Return the tar of a container's path, which has its name in it or none."""

    def write(out_fd: int) -> list[str]:
        with side.enter() as root_fd:
            fd = open_source(_inside(root_fd), path)
            mode = os.fstat(fd).st_mode
            source = source_of(path, mode)
            name = source.name if is_named and not source.contents_only else "."
            packer = Packer(fd, name or ".")
            write_all(out_fd, _FOLDER if stat.S_ISDIR(mode) else _FILE)
            for chunk in packer.chunks():
                write_all(out_fd, chunk)
            return packer.left_out

    return InsideStream(side.new_maps, write)


def _source_ahead(stream: InsideStream, path: str) -> Source:
    kind = stream.read(1)
    return source_of(path, stat.S_IFDIR if kind == _FOLDER else stat.S_IFREG)


def _feed(
    side: ContainerSide, chunks: Iterator[bytes], path: str, source: Source, rules: Rules
) -> list[str]:
    """Unpack a tar in a container."""

    def read(in_fd: int) -> list[str]:
        with open(in_fd, "rb", buffering=0) as stream, side.enter() as root_fd:
            open_ = _inside(root_fd)

            def locate(folder: str) -> Locate:
                return lambda below, flags: open_(f"{folder}/{below}", flags)

            left_out = _unpack(stream, _Reach(open_, locate), path, source, rules)
            while stream.read(_STEP):  # padding: else its writer meets a closed pipe
                pass
            return left_out

    return feed(side.new_maps, read, chunks)


def _unpack(
    stream: ByteStream, reach: _Reach, path: str, source: Source, rules: Rules
) -> list[str]:
    """Write a tar to where a path leads; return what could not be made."""
    target = target_of(reach.open, path, source)
    if source is _EVERYTHING and target.name != ".":
        raise NotFound("no such folder", path, "a tar is unpacked into one that is there")
    unpacker = Unpacker(reach.below(target.folder), target.name, rules)
    if target.file_fd < 0:
        unpacker.unpack(stream)
    else:
        try:
            unpacker.unpack_onto(stream, target.file_fd)
        finally:
            os.close(target.file_fd)
    return unpacker.left_out


def _open_on_host(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC)


def _inside(root_fd: int) -> Open:
    return lambda path, flags: open_in_root(root_fd, path, flags)


def _beneath(folder: str) -> Locate:
    """Return what opens paths below a folder of the host: through no link, wherever it came from.

    The descriptor stays open for the rest of the command.
    """
    fd = _open_on_host(folder, os.O_PATH | os.O_DIRECTORY)
    return lambda below, flags: openat2(fd, below, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)


def _owner(side: ContainerSide, otherwise: Owner, *, chown: bool) -> Owner:
    return (lambda _uid, _gid: side.owner) if chown else otherwise


def _mapped(maps: Maps) -> Owner:
    """Return the owner inside of what the host's IDs own; root's for those that are not mapped."""

    def owner(uid: int, gid: int) -> tuple[int, int]:
        return _or_zero(maps.uid, uid), _or_zero(maps.gid, gid)

    return owner


def _or_zero(idmap: IDMap, outside: int) -> int:
    inside = idmap.to_inside(outside)
    return 0 if inside is None else inside


def _as_told(maps: Maps) -> Owner:
    """Return the owner that a tar names, root for those that the container has not."""

    def owner(uid: int, gid: int) -> tuple[int, int]:
        known = maps.uid.to_outside(uid) is not None and maps.gid.to_outside(gid) is not None
        return (uid, gid) if known else (0, 0)

    return owner
