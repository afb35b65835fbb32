"""What packages are made of: the wheel under test, and those that contrib/bootstrap has made."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from executable import Home

CONTRIB = Path(__file__).resolve().parents[2] / "contrib"


@pytest.fixture(scope="session")
def building(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the environment in which a script of contrib/ builds something, without a network."""
    (wheel,) = (Path(sys.prefix).parent / "wheel").glob("*.whl")
    home = Home.make(tmp_path_factory.mktemp("builder"))
    return {
        **home.environ,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        "ROOTLESS_SOURCE": str(wheel),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(Path(sys.prefix) / "wheels"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
