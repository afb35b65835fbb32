"""From aliases to the shims that run them, and to images by their digests."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rootless.alias import definition, shim
from rootless.alias.definition import Alias
from rootless.cli import run_options
from rootless.errors import NotFound
from rootless.oci.reference import parse_reference
from rootless.paths import Paths


def own_file(paths: Paths) -> Path:
    """Return the user's own aliases.toml, beside his settings."""
    return paths.settings[0].parent / definition.FILE_NAME


def program() -> str:
    """Return the absolute path of the rootless that runs; raises NotFound."""
    found = shutil.which(sys.argv[0])
    if found is None:
        raise NotFound("cannot find my own program", sys.argv[0], "call it by its path")
    return os.path.abspath(found)


def shim_text(alias: Alias, origin: Path) -> str:
    """Return the shim of an alias."""
    options = dict(alias.options)
    if alias.command:
        options.setdefault("entrypoint", "")
    words = ["run", *run_options.as_words(options), alias.image, *alias.command]
    return shim.text_of(program(), words, origin)


def with_image(alias: Alias, *, pin: bool) -> Alias:
    """Return the alias once its image is in the store, pulled where that is due.

    Args:
        alias: The alias.
        pin: Name the image by its digest.
    """
    from rootless.cli.fetch import image_for_run  # noqa: PLC0415 - may ask a registry
    from rootless.image import meant  # noqa: PLC0415
    from rootless.image.describe import digest_of  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415

    name = image_for_run(alias.image, run_options.of_image(alias.image, alias.options))
    if not pin or alias.is_pinned:
        return alias
    image = meant.resolve(Store.open(Paths.from_environment(), create=False), name)
    if image.place is not None or not image.reference:
        raise NotFound("no name to pin the image by", alias.image, "a file is what it is")
    reference = parse_reference(image.reference)
    digest = image.index_digest or digest_of(image)
    return replace(alias, image=f"{replace(reference, digest=None)}@{digest}")


def wanted_texts(paths: Paths, shims: list[shim.Shim]) -> dict[Path, Mapping[str, str]]:
    """Return what the shims should be, by the file that defines them, the user's own among them."""
    files = dict.fromkeys([own_file(paths), *(each.origin for each in shims)])
    found: dict[Path, Mapping[str, str]] = {}
    for file in files:
        aliases = definition.read(file, run_options.KINDS)
        found[file] = {name: shim_text(alias, file) for name, alias in aliases.items()}
    return found
