"""Check `libraries`: the interpreter, what it can import, and that `fuse` is ours.

Two other projects own a module `fuse` too (docs/decisions/0001).
"""

import importlib.util
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rootless.doctor.check import Check, State

# Distribution: the module that must be importable.
_NEEDED = {
    "pyfuse3": "pyfuse3",
    "trio": "trio",
    "typer": "typer",
    "rich": "rich",
    "isal": "isal",
    "zstandard": "zstandard",
    "pyxattr": "xattr",
}


@dataclass(frozen=True, slots=True)
class LibraryFacts:
    """What was found.

    Attributes:
        python: The interpreter's version.
        executable: Its path.
        versions: Version by distribution; empty text where it cannot be found.
        fuse: Folder of the package `fuse`; empty where there is none, or a file that is not ours.
        fuse_is_ours: It is the one that came with this `rootless`.
    """

    python: str
    executable: str
    versions: Mapping[str, str]
    fuse: str
    fuse_is_ours: bool


def gather() -> LibraryFacts:
    """Look, without importing what is slow to import."""
    versions = {name: _version(name, module) for name, module in _NEEDED.items()}
    spec = importlib.util.find_spec("fuse")
    origin = (spec.origin or "") if spec else ""
    expected = Path(__file__).resolve().parents[2] / "fuse" / "__init__.py"
    ours = bool(origin) and Path(origin).resolve() == expected
    return LibraryFacts(platform.python_version(), sys.executable, versions, origin, ours)


def check_libraries(facts: LibraryFacts) -> Check:
    """Judge."""
    name = "libraries"
    known = ", ".join(f"{lib} {version}" for lib, version in facts.versions.items() if version)
    seen = f"Python {facts.python}, {known}"
    missing = [lib for lib, version in facts.versions.items() if not version]
    if missing:
        return Check(
            name,
            State.FAILED,
            seen,
            f"not installed: {', '.join(missing)}",
            f"{facts.executable} -m pip install {' '.join(missing)}",
        )
    if not facts.fuse_is_ours:
        return Check(
            name,
            State.FAILED,
            seen,
            f"`import fuse` finds another package: {facts.fuse or 'none'}",
            "install rootless into an environment of its own (python3 -m venv), or remove "
            "python3-fuse, fuse-python or fusepy from this one",
        )
    return Check(name, State.OK, seen)


def _version(distribution: str, module: str) -> str:
    if importlib.util.find_spec(module) is None:
        return ""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "(unknown)"
