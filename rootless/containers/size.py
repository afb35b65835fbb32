"""What a container takes up on the disk: the files that it wrote, its log, its record."""

import os
from pathlib import Path

from rootless.containers.inside import InsideStream
from rootless.containers.record import Record, folder_of, upperdir_of
from rootless.image.byte_stream import read_up_to
from rootless.image.store import write_all
from rootless.paths import Paths, shared_folder

_BLOCK = 512
_DIGITS = 32


def size_of(paths: Paths, record: Record) -> int:
    """Return how many bytes it takes; 0 for what has gone meanwhile."""
    folders = _folders(paths, record)
    try:
        return _size(folders)
    except PermissionError:  # its users are sub-IDs of ours
        with InsideStream(record.container.maps, lambda fd: _tell(fd, folders)) as stream:
            return int(read_up_to(stream, _DIGITS) or b"0")


def _folders(paths: Paths, record: Record) -> list[Path]:
    folder, upperdir = folder_of(paths, record), upperdir_of(record)
    if upperdir is not None and not upperdir.is_relative_to(folder):
        return [folder, upperdir]
    passing = (paths.scratch / record.id, shared_folder() / "scratch" / record.id)
    return [folder, *([] if upperdir is not None else passing)]


def _tell(fd: int, folders: list[Path]) -> None:
    write_all(fd, str(_size(folders)).encode())


def _size(folders: list[Path]) -> int:
    seen = {}
    left = [os.fspath(folder) for folder in folders]
    while left:
        try:
            with os.scandir(left.pop()) as found:
                for item in found:
                    status = item.stat(follow_symlinks=False)
                    seen[status.st_ino, status.st_dev] = status.st_blocks * _BLOCK
                    if item.is_dir(follow_symlinks=False):
                        left.append(item.path)
        except FileNotFoundError:
            continue
    return sum(seen.values())
