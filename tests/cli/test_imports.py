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

# What typer brings; commands that are started often are read without it.
TYPER = frozenset({"typer", "pydantic", "pydantic_core", "typing_extensions", "email", "zipfile"})

_DRIVER = """
import os, sys
from rootless.entry import main
words = sys.argv[1:]
if words[0] == "run":
    from rootless.containers import foreground
    foreground.run = lambda record, paths, **_: print("prepared", record.id) or 0
status = main()
print("\\n".join(sorted(sys.modules)), file=sys.stderr)
sys.exit(status)
"""

COMMANDS = {
    "version": ("--version",),
    "help": ("--help",),
    "help of run": ("run", "--help"),
    "images": ("images",),
    "run": ("run", "pic", "true"),
    "run with options": ("run", "--rm", "-e", "A=b", "-v", ".:/w", "--name", "n", "pic", "true"),
    "create": ("create", "pic", "true"),
    "ps": ("ps", "-a"),
}
STRAIGHT = {name: COMMANDS[name] for name in ("run", "run with options", "create", "ps")}


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
    assert "rootless.cli" in modules
    assert not {name for name in modules if name.partition(".")[0] in TOO_DEAR}


@pytest.mark.parametrize("words", STRAIGHT.values(), ids=STRAIGHT)
def test_ordinary_words_need_no_typer(loaded: Rootless, words: tuple[str, ...]) -> None:
    """Commands that are started often import neither typer nor what it brings; help does."""
    _, modules = imported(loaded, *words)
    assert not {name for name in modules if name.partition(".")[0] in TYPER}
    assert "importlib.metadata" not in modules
    _, modules = imported(loaded, words[0], "--help")
    assert {"typer", "pydantic"} <= modules


def test_a_press_of_tab(loaded: Rootless) -> None:
    """Completion reads the declarations as data, and imports no command."""
    printed, modules = imported(loaded, "__complete", "fish", "run", "-it", "pi")
    assert printed.splitlines()[:2] == ["nothing", "pic:latest\timage"]
    assert not {name for name in modules if name.partition(".")[0] in TOO_DEAR | TYPER}
    ours = {name for name in modules if name.startswith("rootless.cli.")}
    needed = ("complete", "complete_names", "declared", "examples")
    assert ours == {f"rootless.cli.{name}" for name in needed}


def test_a_run_stays_within_its_budget(loaded: Rootless) -> None:
    """A plain run imports so many modules and no more, of ours and of the standard library's."""
    _, modules = imported(loaded, "run", "pic", "true")
    ours = {name for name in modules if name.partition(".")[0] in ("rootless", "fuse")}
    assert len(ours) <= 222, sorted(ours)
    assert len(modules - ours) < 200, sorted(modules - ours)
    standard = sys.stdlib_module_names | {"xattr", "sitecustomize", "usercustomize"}
    foreign = {name.partition(".")[0] for name in modules - ours} - standard
    assert not {name for name in foreign if not name.startswith("_")}


def test_a_build_of_what_is_there(loaded: Rootless, tmp_path: Path) -> None:
    """Where every step is in the cache nothing is imported that makes a layer or runs a step."""
    (tmp_path / "file").write_text("file\n")
    (tmp_path / "Containerfile").write_text("FROM pic\nCOPY file /x/\nWORKDIR /x\nCMD a\n")
    words = ("build", "-q", "-t", "made", str(tmp_path))
    first, _ = imported(loaded, *words)
    again, modules = imported(loaded, *words)
    assert again == first
    assert not {name for name in modules if name.partition(".")[0] in TOO_DEAR | TYPER}
    parts = {".".join(name.split(".")[:2]) for name in modules if name.startswith("rootless.")}
    assert not parts & {f"rootless.{name}" for name in ("containers", "userns", "bundle")}
    runtime = {name for name in modules if name.startswith("rootless.runtime.")}
    # What asks the holder brings these
    assert runtime <= {f"rootless.runtime.{name}" for name in ("program", "workload")}
    of_layers = {f"rootless.{name}" for name in ("build.worker", "build.copy_layer", "image.trees")}
    assert not modules & (of_layers | {"dockerfile", "fuse.merge", "rootless.image.transaction"})


def test_help_imports_none_of_the_work(rootless: Rootless) -> None:
    """The version and the list of commands need the command line only."""
    for words in (("--version",), ("--help",)):
        _, modules = imported(rootless, *words)
        ours = {name for name in modules if name.partition(".")[0] in ("rootless", "fuse")}
        parts = {name.split(".")[1] for name in ours if "." in name}
        assert parts == {"cli", "entry", "errors"}


def test_images_opens_no_layer(loaded: Rootless) -> None:
    """A list of images comes out of names and documents: the file system's code is not needed."""
    _, modules = imported(loaded, "images")
    assert not {name for name in modules if name.partition(".")[0] in ("fuse", "sqlite3")}


def test_the_budget_can_be_exceeded(loaded: Rootless) -> None:
    """A command that needs what is dear shows up in the list: the test sees what is imported."""
    _, modules = imported(loaded, "run", "pic", "true")
    assert {"rootless.containers.prepare", "rootless.userns.maps", "sqlite3"} <= modules
