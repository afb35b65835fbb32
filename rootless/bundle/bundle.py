"""OCI bundles: a folder, or a tar of one, with config.json and the root file system.

A bundle of ours names its image's tree in an annotation and holds an empty rootfs: nothing is
unpacked. A bundle of somebody else holds the files; from a tar they are served without being
unpacked either.
"""

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from rootless.errors import Conflict, IntegrityError, InvalidInput, NotFound, StoreError
from rootless.image import layers, trees
from rootless.image.names import Image, resolve
from rootless.image.store import Store
from rootless.oci.runtime_spec import Spec, format_spec, parse_spec
from rootless.runtime.mount_options import with_absolute_sources

IMAGE_ANNOTATION = "org.rootless.image"
_CONFIG = "config.json"
_MAX_CONFIG = 8 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that has been read.

    Attributes:
        spec: Its config.json.
        rootfs: Its root file system; unused where there is a tree.
        tree: Merged tree to serve instead; None for a folder of files.
        layers: The tree's tars.
    """

    spec: Spec
    rootfs: Path
    tree: Path | None = None
    layers: tuple[Path, ...] = ()


def write_bundle(folder: Path, spec: Spec, image: Image) -> None:
    """Make a bundle of an image; raises Conflict where the folder has one, or StoreError."""
    config = folder / _CONFIG
    if config.exists():
        raise Conflict("there is a bundle already", str(folder), "name another folder")
    spec = replace(
        spec, annotations={**spec.annotations, IMAGE_ANNOTATION: str(image.config_digest)}
    )
    try:
        (folder / "rootfs").mkdir(parents=True, exist_ok=True)
        temp = folder / f".tmp-{os.getpid()}"
        temp.write_text(format_spec(spec), encoding="utf-8")
        temp.rename(config)
    except OSError as error:
        raise StoreError(f"cannot write: {error.strerror}", str(error.filename)) from error


def read_bundle(path: Path, store: Store, scratch: Path) -> Bundle:
    """Read a bundle folder, or a tar of one, which is indexed into `scratch`.

    Raises NotFound, InvalidInput or IntegrityError.
    """
    if path.is_dir():
        return _read_folder(path, store)
    if not path.exists():
        raise NotFound("no such bundle", str(path))
    return _read_tar(path, scratch)


def _read_folder(folder: Path, store: Store) -> Bundle:
    try:
        text = (folder / _CONFIG).read_bytes()
    except FileNotFoundError:
        raise NotFound(
            "not a bundle: it has no config.json",
            str(folder),
            "'rootless bundle spec' writes one",
        ) from None
    except OSError as error:
        raise InvalidInput(f"cannot read: {error.strerror}", str(folder / _CONFIG)) from error
    spec = with_absolute_sources(parse_spec(text, str(folder / _CONFIG)), folder.absolute())
    rootfs = (folder / spec.root_path).resolve()
    if not rootfs.is_dir():
        raise NotFound("the bundle's root.path is not a folder", str(rootfs))
    digest = spec.annotations.get(IMAGE_ANNOTATION, "")
    if digest and not any(os.scandir(rootfs)):
        image = resolve(store, digest)
        there = trees.located(store, image.config.diff_ids)
        return Bundle(spec, rootfs, there.tree, there.layers)
    return Bundle(spec, rootfs)


def _read_tar(path: Path, scratch: Path) -> Bundle:
    index, whole, tree = (scratch / f"bundle.{end}" for end in ("index", "tree", "rootfs"))
    try:
        with open(path, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput("a bundle must be a folder or a tar file", str(path))
            with layers.LayerIndexBuilder(index) as builder:
                while chunk := file.read(_CHUNK):
                    builder.feed(chunk)
                builder.finish()
    except ValueError as error:
        raise IntegrityError(
            f"not a tar of a bundle: {error}", str(path), "it must not be compressed"
        ) from error
    except OSError as error:
        raise StoreError(f"cannot read: {error.strerror}", str(error.filename or path)) from error
    trees.build([index], whole)
    text = trees.read_from(whole, (path,), _CONFIG.encode(), _MAX_CONFIG)
    if text is None:
        raise InvalidInput("the tar holds no config.json", str(path), "it must lie at its top")
    spec = parse_spec(text, f"{path}:{_CONFIG}")
    root_path = os.path.normpath(spec.root_path).strip("/")
    trees.build([index], tree, prefix=root_path.encode())
    return Bundle(spec, Path(root_path), tree, (path.absolute(),))
