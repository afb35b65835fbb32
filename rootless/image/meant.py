"""The image that a user means: one of the store, or a file that holds one and is used in place."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from rootless.errors import InvalidInput, NotFound
from rootless.image import names
from rootless.image.layers import PACK_HEAD, PackFile, is_pack
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import Digest
from rootless.oci.document import MAX_MANIFEST_BYTES

_PATHS = ("/", "./", "../")
_SQUASHFS, _SIF, _SIF_AT = b"hsqs", b"SIF_MAGIC\0", 32
_MAX_NAME = 4096


def resolve(store: Store, name: str) -> Image:
    """Return the image that a user means by *name*, as `names.resolve`, or in a file.

    A word that begins with `/`, `./` or `../` is a file's. Any other is first of all a name, and a
    file's where the store has no such image: what lies in a folder takes no image's place.

    Raises:
        NotFound: No image is meant, or there is no such file.
        InvalidInput: The name cannot be one, or the file is none that can be run.
        IntegrityError: The file is damaged.
    """
    if name.startswith(_PATHS):
        return _read(store, name)
    try:
        return names.resolve(store, name)
    except (NotFound, InvalidInput):
        if not is_file(name):
            raise
        return _read(store, name)


def is_file(name: str) -> bool:
    """Return whether a name that no image of the store has is a file's: asked before a pull."""
    if name.startswith(_PATHS):
        return True
    try:
        with _opened(name) as (_, head):
            return is_pack(head) or _is_foreign(head)
    except (NotFound, InvalidInput):
        return False


def document(image: Image, digest: Digest) -> bytes:
    """Return a document of an image in a file, by its digest; raises NotFound."""
    from rootless.image import pack_reader  # noqa: PLC0415 - for `inspect --raw` alone

    with _opened(image.reference) as (fd, head), pack_reader.explained(image.reference):
        if is_pack(head):
            pack = PackFile(fd, image.reference)
            for section in pack.sections:
                is_small = section.size <= MAX_MANIFEST_BYTES
                if pack_reader.digest_of(section) == digest and is_small:
                    return pack.read(section)
    fix = "what is no pack has no documents of its own"
    raise NotFound("the file has no such document", image.reference, fix)


def _read(store: Store, path: str) -> Image:
    with _opened(path) as (fd, head):
        if is_pack(head):
            from rootless.image import pack_reader  # noqa: PLC0415 - few images are in packs

            return pack_reader.read_image(fd, path)
        if _is_foreign(head):
            from rootless.image import foreign  # noqa: PLC0415 - nor are many in squashfs

            return foreign.read_image(store, fd, path)
    fix = "`rootless load` takes archives, `rootless import` root file systems"
    raise InvalidInput("not an image that runs in place", path, fix)


@contextmanager
def _opened(path: str) -> Iterator[tuple[int, bytes]]:
    """Give a regular file, open, and its beginning; raises NotFound, InvalidInput."""
    if len(path) > _MAX_NAME or "\0" in path:
        raise InvalidInput("not a path", path[:100])
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFound("no such file", path) from None
    except OSError as error:
        raise _read_error(path, error) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InvalidInput("not a file that holds an image", path)
        yield fd, os.pread(fd, PACK_HEAD, 0)
    except OSError as error:
        raise _read_error(path, error) from error
    finally:
        os.close(fd)


def _is_foreign(head: bytes) -> bool:
    is_sif = head[_SIF_AT : _SIF_AT + len(_SIF)] == _SIF
    return head.startswith(_SQUASHFS) or is_sif


def _read_error(path: str, error: OSError) -> Exception:
    from rootless.image.source import read_error  # noqa: PLC0415 - brings what reads archives

    return read_error(path, error)
