"""The import budget: what a command may not pay for, by the list of modules, not by time.

A driver runs the real command line and then prints what it has imported. `run` is stopped where its
container is prepared: what is imported after that is done while other processes start.
"""

import subprocess
import sys
from pathlib import Path

import images
import pytest
from executable import Rootless

# Each is the price of something that these commands do not do.
TOO_DEAR = frozenset(
    {
        *("trio", "pyfuse3", "asyncio"),  # the FUSE server's, which is another program
        *("rich", "pygments"),  # progress bars
        *("isal", "zstandard", "gzip", "tarfile"),  # compressed layers
        *("http", "ssl", "httpx", "httpcore", "cryptography"),  # registries, signatures
        *("hypothesis", "pytest"),
    }
)

_DRIVER = """
import os, sys
from rootless.cli.app import run
words = sys.argv[1:]
if words[0] == "run":
    from rootless.containers import foreground
    foreground.run = lambda record, paths, **_: print("prepared", record.id) or 0
status = run(words)
print("\\n".join(sorted(sys.modules)), file=sys.stderr)
sys.exit(status)
"""

COMMANDS = {
    "version": ("--version",),
    "help": ("--help",),
    "help of run": ("run", "--help"),
    "images": ("images",),
    "run": ("run", "pic", "true"),
}


def imported(rootless: Rootless, *words: str) -> tuple[str, set[str]]:
    """Run a command; return what it printed, and the modules that it had imported at its end."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _DRIVER, *words],
        capture_output=True,
        text=True,
        env=dict(rootless.home.environ),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout, set(done.stderr.split())


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with one image."""
    source = images.docker_archive(tmp_path / "a.tar", [images.small_layer()], names=["pic"])
    rootless.ok("load", source)
    return rootless


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_nothing_dear_is_imported(loaded: Rootless, words: tuple[str, ...]) -> None:
    """What a command has no use for is not imported, and the command did its work."""
    printed, modules = imported(loaded, *words)
    assert printed.strip()
    assert "rootless.cli.app" in modules
    assert not {name for name in modules if name.partition(".")[0] in TOO_DEAR}


def test_help_imports_none_of_the_work(rootless: Rootless) -> None:
    """The version and the list of commands need the command line only."""
    for words in (("--version",), ("--help",)):
        _, modules = imported(rootless, *words)
        ours = {name for name in modules if name.partition(".")[0] in ("rootless", "fuse")}
        parts = {name.split(".")[1] for name in ours if "." in name}
        assert parts == {"cli", "errors"}


def test_images_opens_no_layer(loaded: Rootless) -> None:
    """A list of images comes out of names and documents: the file system's code is not needed."""
    _, modules = imported(loaded, "images")
    assert not {name for name in modules if name.partition(".")[0] in ("fuse", "sqlite3")}


def test_the_budget_can_be_exceeded(loaded: Rootless) -> None:
    """A command that needs what is dear shows up in the list: the test sees what is imported."""
    _, modules = imported(loaded, "run", "pic", "true")
    assert {"rootless.containers.prepare", "rootless.userns.maps", "sqlite3"} <= modules
