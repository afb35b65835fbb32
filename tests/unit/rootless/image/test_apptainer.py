"""`rootless.image.apptainer`: how an image without a config is run."""

import json
from pathlib import Path

import images
import pytest
import trees as built

from rootless.image.apptainer import config_for
from rootless.image.names import Located
from rootless.oci.digest import Digest
from rootless.oci.image_config import ImageConfig, parse_image_config

KEY = Digest("sha256:" + "a" * 64)


def config(tmp_path: Path, layer: images.LayerBuilder) -> ImageConfig:
    """Return the config for a tree."""
    tree = built.build_tree(tmp_path, [layer])
    place = Located(tree, (tmp_path / "0.tar",))
    path = Path("/shared/tool.sif")
    return parse_image_config(config_for(place, path, KEY, architecture="amd64", modified=0))


def test_plain(tmp_path: Path) -> None:
    """An image that says nothing runs its shell."""
    found = config(tmp_path, images.small_layer())
    assert (found.entrypoint, found.cmd) == ((), ("/bin/sh",))
    assert found.diff_ids == (KEY,)
    assert (found.created, found.architecture, found.os) == (
        "1970-01-01T00:00:00Z",
        "amd64",
        "linux",
    )


def apptainer(labels: bytes) -> images.LayerBuilder:
    """Return what Apptainer makes."""
    layer = images.small_layer().directory(".singularity.d")
    layer.file(".singularity.d/runscript", b"#!/bin/sh\n", mode=0o755)
    return layer.file(".singularity.d/labels.json", labels)


def test_apptainer(tmp_path: Path) -> None:
    """The runscript is the command, behind what reads the environment."""
    found = config(tmp_path, apptainer(json.dumps({"a": "b", "c": 1}).encode()))
    assert found.entrypoint[:2] == ("/bin/sh", "-c")
    assert found.cmd == ("/.singularity.d/runscript",)
    assert found.labels == {"a": "b"}
    assert "APPTAINER_NAME=tool.sif" in found.env
    assert "SINGULARITY_CONTAINER=/shared/tool.sif" in found.env


@pytest.mark.parametrize("labels", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"null"])
def test_labels_that_are_none(tmp_path: Path, labels: bytes) -> None:
    """Labels that cannot be read are no reason not to run."""
    assert config(tmp_path, apptainer(labels)).labels == {}


def test_no_shell(tmp_path: Path) -> None:
    """Without a shell the runscript runs as it is."""
    layer = images.LayerBuilder().directory(".singularity.d")
    layer.file(".singularity.d/runscript", b"\x7fELF", mode=0o755)
    assert config(tmp_path, layer).entrypoint == ()
