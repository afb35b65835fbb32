"""contrib/debian/build: the package is built, is as Debian's checker wants it, and runs."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[2] / "contrib/debian/build"


pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def package(building: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it as an ordinary user."""
    folder = tmp_path_factory.mktemp("package")
    environ = {**building, "COMPRESSION": "0"}
    done = subprocess.run(
        [BUILD, folder], env=environ, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (deb,) = folder.glob("rootless_*.deb")
    return deb


def test_checker(package: Path) -> None:
    """Lintian finds no error that the package does not give a reason for."""
    words = ["lintian", "--fail-on", "error", "--no-cfg", package]
    done = subprocess.run(words, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_contents_run(package: Path, tmp_path: Path) -> None:
    """Unpacked and put where it belongs, its commands run and its pages are there."""
    subprocess.run(["dpkg-deb", "-x", package, tmp_path], check=True)
    for name in (
        "usr/share/man/man1/rootless-run.1.gz",
        "usr/share/bash-completion/completions/rootless",
        "etc/apparmor.d/rootless",
    ):
        assert (tmp_path / name).stat().st_size > 0
    for name in ("rootless", "rootless-overlay", "rootless-runtime"):
        target = (tmp_path / "usr/bin" / name).readlink()
        inside = ["--ro-bind", "/", "/", "--tmpfs", "/opt"]
        inside += ["--ro-bind", tmp_path / "opt/rootless", "/opt/rootless", "--dev", "/dev"]
        done = subprocess.run(
            ["bwrap", *inside, target, "--version"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert package.name.split("_")[1] in done.stdout
