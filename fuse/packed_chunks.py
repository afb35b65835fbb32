"""The chunk table of a pack whose contents are compressed."""

import os

from .chunk_table import ChunkTable
from .pack_file import HEAD_READ, Kind, PackFile, has_chunks, is_pack


def chunk_table_in(fd: int, path: str | os.PathLike[str]) -> ChunkTable | None:
    """Return the chunk table in an open file; None where that is no pack, or a pack of plain tars.

    Raises:
        PackFormatError: It is damaged.
        OSError: It cannot be read.
    """
    head = os.pread(fd, HEAD_READ, 0)
    if len(head) < HEAD_READ or not is_pack(head) or not has_chunks(head):
        return None
    pack = PackFile(fd, path)
    return ChunkTable(path, pack.read(pack.require(Kind.CHUNK_TABLE)))
