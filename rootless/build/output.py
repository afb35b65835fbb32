"""`--output`: the file system of what was built as files of the host: a folder, or a tar.

A folder's files are the user's, as one takes what was built out so to use it; a tar has the owners
that the image has.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rootless.containers.export import opened
from rootless.containers.unpack import Rules, Unpacker
from rootless.errors import InvalidInput
from rootless.image.image_tar import image_chunks
from rootless.image.names import Image
from rootless.image.store import Store, write_all
from rootless.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2

_FIX = "FOLDER, - for a tar on standard output, or type=local|tar,dest=PATH"
_STANDARD_OUTPUT = "-"
_NO_SPECIAL_BITS = 0o777  # a program of another user's image is not to run as this one


@dataclass(frozen=True, slots=True)
class Output:
    """Where it goes.

    Attributes:
        path: A folder, or a file; "" for standard output.
        is_tar: It is one tar.
    """

    path: str
    is_tar: bool

    @property
    def is_standard(self) -> bool:
        """Whether it goes to standard output."""
        return not self.path


def parse_output(text: str) -> Output:
    """Read `--output`; raises InvalidInput."""
    if "=" not in text:
        return Output("", is_tar=True) if text == _STANDARD_OUTPUT else Output(text, is_tar=False)
    words = dict(each.split("=", 1) for each in text.split(",") if "=" in each)
    kind, path = words.get("type", "local"), words.get("dest", "")
    if words.keys() - {"type", "dest"} or kind not in ("local", "tar") or not path:
        raise InvalidInput("not an output", text, _FIX)
    if kind == "tar":
        return Output("" if path == _STANDARD_OUTPUT else path, is_tar=True)
    return Output(path, is_tar=False)


def write_output(store: Store, image: Image, output: Output) -> list[str]:
    """Write an image's file system; return the names of what could not be made.

    Raises:
        InvalidInput: It cannot be written.
        Conflict: A folder and something else are in each other's place.
    """
    if output.is_tar:
        with opened(output.path) as fd, _explained(output.path or "standard output"):
            for chunk in image_chunks(store, image):
                write_all(fd, chunk)
        return []
    from rootless.image.byte_stream import Chunked  # noqa: PLC0415 - of a folder

    with _explained(output.path):
        os.makedirs(output.path, exist_ok=True)
        top = os.open(output.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        unpacker = Unpacker(
            lambda below, flags: openat2(top, below, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS),
            ".",
            Rules(mode_mask=_NO_SPECIAL_BITS),
        )
        chunks = (chunk for chunk in image_chunks(store, image))
        with _explained(output.path), Chunked(chunks) as tar:
            unpacker.unpack(tar)
    finally:
        os.close(top)
    return unpacker.left_out


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turn an OSError out of the block into an InvalidInput that names the output."""
    try:
        yield
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else path
        what = f"the output cannot be written: {error.strerror}"
        raise InvalidInput(what, where, "the image has been made and kept") from error
