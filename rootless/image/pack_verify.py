"""`rootless pack --verify`: every byte of a pack against the digests that it carries.

The layers' tars are read once, for their diff IDs, which the config names, and for their indexes,
which are merged again: the pack's tree must be that one. So what a pack shows is what its layers
say, whoever made it; that they are the image's, says its ID.
"""

import hashlib
import os
import stat
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from rootless.errors import IntegrityError
from rootless.image import trees
from rootless.image.layers import (
    LayerIndexBuilder,
    PackFile,
    PackKind,
    PackSection,
    TarFormatError,
)
from rootless.image.pack_reader import (
    MAX_FILE,
    digest_of,
    known_files,
    open_pack,
    planned_image,
)
from rootless.image.pack_tars import PackedTars
from rootless.image.progress import Progress, Silent
from rootless.oci.digest import Digest, sha256_of

# Of a SQLite file's header: how often it was changed, and by which version of the library.
_HEADER_VARIES = ((24, 28), (92, 100))


def verify(path: str, progress: Progress | None = None) -> Digest:
    """Check a pack; return the image's ID.

    Raises:
        NotFound: It is not there.
        IntegrityError: It is no pack, or damaged, or does not show what its layers say.
    """
    told = progress or Silent()
    with open_pack(path) as pack, TemporaryDirectory(prefix="rootless-pack-") as folder:
        image, files = planned_image(pack), known_files(pack)
        tree = pack.read(pack.require(PackKind.TREE))
        sections = pack.layers()
        indexes = [Path(folder, f"{section.number}.index") for section in sections]
        with closing(PackedTars(pack, path)) as tars:
            for section, index in zip(sections, indexes, strict=True):
                told.layer(digest_of(section), section.size)
                _check_layer(pack, tars, section, index, told)
        merged, shifted = Path(folder, "merged"), Path(folder, "tree")
        trees.build(indexes, merged)
        trees.build_for_pack(merged, [section.offset for section in sections], shifted)
        if _comparable(shifted.read_bytes()) != _comparable(tree):
            raise IntegrityError("damaged pack: its tree is not that of its layers", path)
        for inner_path, data in files.items():
            if _known_of(shifted, Path(path), inner_path) != data:
                what = "damaged pack: a file beside its layers is not theirs"
                raise IntegrityError(what, f"{path}: {os.fsdecode(inner_path)}")
    return sha256_of(image.config_data)


def _known_of(tree: Path, pack: Path, inner_path: bytes) -> bytes | None:
    """Return what a pack is to have beside its layers: a file's contents, of a folder nothing."""
    if not inner_path.endswith(b"/"):
        return trees.read_from(tree, (pack,), inner_path, MAX_FILE)
    with trees.open_tree(tree) as opened:
        inode = opened.resolve(inner_path.rstrip(b"/"))
        return None if inode is None or not stat.S_ISDIR(inode.mode) else b""


def _check_layer(
    pack: PackFile, tars: PackedTars, section: PackSection, index: Path, progress: Progress
) -> None:
    verifier = hashlib.sha256()
    with LayerIndexBuilder(index) as builder:
        try:
            for chunk in tars.chunks(section):
                verifier.update(chunk)
                builder.feed(chunk)
                progress.advance(len(chunk))
            if verifier.digest() != section.digest:
                raise pack.fault(f"layer {section.number} is damaged: wrong diff ID")
            builder.finish()
        except TarFormatError as error:
            raise pack.fault(f"layer {section.number}: {error}") from error


def _comparable(tree: bytes) -> bytes:
    for first, last in _HEADER_VARIES:
        tree = tree[:first] + bytes(last - first) + tree[last:]
    return tree
