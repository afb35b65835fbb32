"""How an image without a config is run: as Apptainer runs its own, else by its shell.

Apptainer keeps what an image says about itself in the image: /.singularity.d has a runscript, the
scripts of its environment, and its labels.
"""

import json
import os
from pathlib import Path
from typing import Any

from rootless.image import trees
from rootless.image.names import Located
from rootless.oci import timestamp
from rootless.oci.digest import Digest
from rootless.oci.document import to_bytes

_FOLDER = "/.singularity.d"
_RUNSCRIPT = f"{_FOLDER}/runscript"
_SHELL = "/bin/sh"
# The scripts are made for being read by a shell, one after the other, before the command.
_WITH_ENVIRONMENT = (
    f'for each in {_FOLDER}/env/*.sh; do if [ -f "$each" ]; then . "$each"; fi; done; '
    'unset each; exec "$@"'
)
_MAX_LABELS = 1 << 20
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def config_for(
    place: Located, path: Path, key: Digest, *, architecture: str, modified: int
) -> bytes:
    """Return an image config for an image in a file.

    Args:
        place: Its tree and layer.
        path: The file.
        key: What identifies the file: its diff ID.
        architecture: What it runs on, where its file says so.
        modified: When it was made, in seconds since 1970.
    """
    process: dict[str, Any] = {"Env": [_PATH], "Cmd": [_SHELL]}
    with trees.open_tree(place.tree) as tree:
        is_apptainer = tree.resolve(os.fsencode(_FOLDER.strip("/"))) is not None
        has_shell = tree.resolve(os.fsencode(_SHELL.strip("/"))) is not None
        has_runscript = tree.resolve(os.fsencode(_RUNSCRIPT.strip("/"))) is not None
    if is_apptainer:
        process["Env"] += _variables(path)
        process["Labels"] = _labels(place)
        if has_shell:
            process["Entrypoint"] = [_SHELL, "-c", _WITH_ENVIRONMENT, _FOLDER]
        if has_runscript:
            process["Cmd"] = [_RUNSCRIPT]
    return to_bytes(
        {
            "created": timestamp.to_text(modified),
            "architecture": architecture,
            "os": "linux",
            "config": process,
            "rootfs": {"type": "layers", "diff_ids": [key]},
        }
    )


def _variables(path: Path) -> list[str]:
    names = ("APPTAINER", "SINGULARITY")
    values = (("CONTAINER", str(path)), ("NAME", path.name))
    found = [f"{name}_{what}={value}" for name in names for what, value in values]
    return [each for each in found if each.isprintable()]


def _labels(place: Located) -> dict[str, str]:
    """Return the labels; what is not text, or no JSON, is nobody's business."""
    name = f"{_FOLDER.strip('/')}/labels.json".encode()
    data = trees.read_from(place.tree, place.layers, name, _MAX_LABELS)
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}
