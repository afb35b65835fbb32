"""The image that a user means: one of the store, or a file that holds one and is used in place."""

import os
import stat

from rootless.errors import InvalidInput, NotFound
from rootless.image import names
from rootless.image.layers import is_pack
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import Digest
from rootless.oci.document import MAX_MANIFEST_BYTES

_PATHS = ("/", "./", "../")
_HEAD = 128
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
    return name.startswith(_PATHS) or _kind(name) != ""


def document(image: Image, digest: Digest) -> bytes:
    """Return a document of an image in a file, by its digest; raises NotFound."""
    from rootless.image import pack_reader  # noqa: PLC0415 - for `inspect --raw` alone

    with pack_reader.open_pack(image.reference) as pack:
        for section in pack.sections:
            if pack_reader.digest_of(section) == digest and section.size <= MAX_MANIFEST_BYTES:
                return pack.read(section)
    raise NotFound("the file has no such document", image.reference)


def _read(store: Store, path: str) -> Image:
    del store
    kind = _kind(path)
    if kind == "pack":
        from rootless.image.pack_reader import read_image  # noqa: PLC0415 - few images are in packs

        return read_image(path)
    if not os.path.lexists(path):
        raise NotFound("no such file", path)
    fix = "`rootless load` takes archives, `rootless import` root file systems"
    raise InvalidInput("not an image that runs in place", path, fix)


def _kind(path: str) -> str:
    """Return what a file holds; "" for nothing that is known, or no file."""
    if len(path) > _MAX_NAME or "\0" in path:
        return ""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return ""
        head = os.pread(fd, _HEAD, 0)
    except OSError:
        return ""
    finally:
        os.close(fd)
    return "pack" if is_pack(head) else ""
