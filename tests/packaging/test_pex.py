"""contrib/pex: one file that runs an image, for whoever has Python and nothing else of ours."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from executable import Home

PEX = Path(__file__).resolve().parents[2] / "contrib/pex"


@pytest.mark.timeout(900)
def test_one_file(building: Mapping[str, str], demo_home: Home, tmp_path: Path) -> None:
    """It is built, unpacks itself, and runs a command in an image."""
    file = tmp_path / "rootless.pex"
    done = subprocess.run(
        [PEX, file], env=dict(building), capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    environ = {**demo_home.environ, "PEX_ROOT": str(tmp_path / "root"), "ROOTLESS_HOLDER": "off"}
    words = [file, "run", "debian-demo", "cat", "/etc/skel/.demo"]
    done = subprocess.run(
        words, env={**environ, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "demo\n"), done.stderr
