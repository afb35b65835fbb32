"""A container's whole file system as a tar: all of `rootless export` but its printing."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rootless.containers.root_files import RootFiles, read_inside
from rootless.image.merged_tar import merged_chunks
from rootless.image.store import TempFile, write_all
from rootless.image.store_errors import explain, store_error

_STEP = 1 << 20


@contextmanager
def opened(output: str) -> Iterator[int]:
    """Give the descriptor to write to; a file of the name is there once all is written.

    Args:
        output: A path; "" for standard output.

    Raises:
        StoreError: The file cannot be made.
    """
    if not output:
        sys.stdout.flush()
        yield sys.stdout.fileno()
        return
    path = Path(output)
    with explain(output):
        is_special = path.exists() and not stat.S_ISREG(path.stat().st_mode)
        if is_special:  # /dev/null, a FIFO: nothing can take its place
            with open(path, "wb", buffering=0) as file:
                yield file.fileno()
            return
        temp = TempFile(path.resolve().parent)
    with temp, explain(output):
        yield temp.fd
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temp.fd, 0o666 & ~mask)
        os.rename(temp.path, path.resolve())
        os.close(temp.fd)
        temp.fd = -1


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
            try:
                write_all(fd, buffer[:n])
            except BrokenPipeError:
                raise  # the reader had enough: no fault, as of any program in a pipeline
            except OSError as error:
                raise store_error(error, where) from error
            advance(n)
