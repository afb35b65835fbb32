"""Fixtures: a root file system with a shell, as a squashfs image, as Apptainer leaves one."""

import subprocess
from pathlib import Path

import pytest
import shell_image
import squashfs_images as images
from executable import Home, Rootless

_RUNSCRIPT = """#!/bin/sh
echo "runscript $# $GREETING"
for word; do echo "<$word>"; done
"""
_ENVIRONMENT = {
    "10-docker2singularity.sh": 'export GREETING="from the environment"\n',
    "90-environment.sh": "#!/bin/sh\n# Custom environment shell code should follow\n",
    "91-of-the-image.sh": "export FROM_IMAGE=1\n",
}
_LABELS = '{"org.label-schema.usage": "none", "maintainer": "somebody"}'


@pytest.fixture(scope="session")
def root(demo_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a shell, and what Apptainer puts into an image."""
    layer = shell_image.take_shell(Rootless(demo_home), tmp_path_factory.mktemp("shell"))
    root = tmp_path_factory.mktemp("root") / "root"
    root.mkdir()
    subprocess.run(["tar", "-x", "-C", root], input=layer, check=True)
    for name in ("proc", "sys", "dev", "tmp", "etc"):
        (root / name).mkdir(exist_ok=True)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (root / "file").write_text("of the image\n")
    return root


@pytest.fixture(scope="session")
def plain_image(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A squashfs image of that folder alone."""
    out = tmp_path_factory.mktemp("plain") / "shell.sqfs"
    return images.squash(root, out, "-all-root", pseudo=())


@pytest.fixture(scope="session")
def sif(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SIF file, as an Apptainer user has them."""
    folder = tmp_path_factory.mktemp("sif")
    lines = [".singularity.d d 755 0 0", ".singularity.d/env d 755 0 0"]
    lines.append(_file(folder, ".singularity.d/runscript", _RUNSCRIPT, "755"))
    lines.append(_file(folder, ".singularity.d/labels.json", _LABELS, "644"))
    lines += [
        _file(folder, f".singularity.d/env/{name}", text, "755")
        for name, text in _ENVIRONMENT.items()
    ]
    image = images.squash(root, folder / "image.sqfs", "-all-root", pseudo=lines)
    return images.sif_of(image, folder / "tool.sif")


def _file(folder: Path, name: str, text: str, mode: str) -> str:
    source = folder / name.replace("/", "-")
    source.write_text(text)
    return f"{name} f {mode} 0 0 cat {source}"
