"""The chunk table of a pack whose contents are compressed."""

import os

from .chunk_table import ChunkTable
from .pack_file import Kind, PackFile, is_pack

_HEAD = 128


def chunk_table_in(fd: int, path: str | os.PathLike[str]) -> ChunkTable | None:
    """Return the chunk table in an open file; None where that is no pack, or a pack of plain tars.

    Raises:
        PackFormatError: It is damaged.
        OSError: It cannot be read.
    """
    if not is_pack(os.pread(fd, _HEAD, 0)):
        return None
    pack = PackFile(fd, path)
    section = pack.find(Kind.CHUNK_TABLE)
    return None if section is None else ChunkTable(path, pack.read(section))
