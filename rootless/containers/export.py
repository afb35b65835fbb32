"""A container's whole file system as a tar: all of `rootless export` but its printing."""

from collections.abc import Callable

from rootless.containers.root_files import RootFiles, read_inside
from rootless.image.merged_tar import merged_chunks
from rootless.image.store import write_all
from rootless.image.store_errors import explain

_STEP = 1 << 20


def export(files: RootFiles, fd: int, where: str, advance: Callable[[int], None]) -> None:
    """Write the tar to a descriptor.

    Args:
        files: The container's.
        fd: Where to.
        where: What that is called.
        advance: Told how many bytes went.

    Raises:
        InvalidInput: A file changed while it was read.
        StoreError: The files cannot be read, or the tar not be written.
    """
    buffer = memoryview(bytearray(_STEP))
    with read_inside(files, merged_chunks) as stream:
        while n := stream.readinto(buffer):
            with explain(where):
                write_all(fd, buffer[:n])
            advance(n)
