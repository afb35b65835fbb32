"""CVE-2019-14271: the runner loads code out of the container that it is setting up.

Docker's copy helper loaded the container's own NSS libraries. A runner in Python looks for modules
at the host's paths, and after pivot_root(2) these are the image's.
"""

import encodings
import json
import subprocess
from pathlib import Path

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

_HOSTILE = b"import os\nos.write(2, b'the image runs in the runner')\n"
_MODULES = (
    *("encodings/ascii", "encodings/latin_1", "encodings/idna", "encodings/unicode_escape"),
    *("traceback", "linecache", "tokenize", "resource", "pwd", "shlex", "locale", "getpass"),
)


@pytest.fixture
def hostile(rootless: Rootless, shell_layer: bytes) -> Rootless:
    """A store with an image that has modules where the runner's interpreter has its own."""
    layer = images.LayerBuilder()
    library = Path(encodings.__file__).parent.parent
    for module in _MODULES:
        layer.file(f"{library}/{module}.py".lstrip("/"), _HOSTILE)
    layer.file("script", b"no program\n", mode=0o755)
    shell_image.load_image(rootless, [shell_layer, layer], {"Cmd": ["/bin/sh", "-c", "exit 3"]})
    return rootless


@pytest.mark.parametrize("options", [(), ("--user", "7"), ("-t",), ("--ulimit", "core=0")])
def test_of_an_image(hostile: Rootless, options: tuple[str, ...]) -> None:
    """No module of the image is imported, on the way to the command and where it fails."""
    options = ("--userns", "single", *options)
    result = hostile("--debug", "run", *options, "small")
    assert (result.status, "the image runs" in result.stderr + result.stdout) == (3, False)
    for command, status in (("/script", 126), ("/none", 127), ("/proc/self/exe", 126)):
        result = hostile("--debug", "run", *options, "small", command)
        assert (result.status, "the image runs" in result.stderr + result.stdout) == (status, False)


@pytest.mark.both_users
def test_of_a_bundle(rootless: Rootless, shell_layer: bytes, tmp_path: Path) -> None:
    """The same for a bundle of files, whose config.json may ask for more."""
    root = tmp_path / "rootfs"
    library = Path(encodings.__file__).parent.parent
    (root / str(library)[1:] / "encodings").mkdir(parents=True)
    for module in _MODULES:
        (root / f"{library}/{module}.py"[1:]).write_bytes(_HOSTILE)
    (tmp_path / "shell.tar").write_bytes(shell_layer)
    subprocess.run(["tar", "-xf", tmp_path / "shell.tar", "-C", root], check=True)
    rootless.ok("bundle", "spec", cwd=tmp_path)
    spec = json.loads((tmp_path / "config.json").read_text())
    spec["process"] |= {"terminal": False, "args": ["/bin/sh", "-c", "exit 3"]}
    limit = {"type": "RLIMIT_NONE", "soft": 1, "hard": 1}
    for change, status in (({}, 3), ({"oomScoreAdj": 1000}, 3), ({"rlimits": [limit]}, 125)):
        document = {**spec, "process": {**spec["process"], **change}}
        (tmp_path / "config.json").write_text(json.dumps(document))
        result = rootless("run", "--bundle", tmp_path)
        assert "the image runs" not in result.stderr
        assert result.status == status
