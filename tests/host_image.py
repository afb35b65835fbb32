"""Root file systems made of this machine's programs, for what the demo image has not got."""

import os
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LIBRARIES = f"/usr/lib/{os.uname().machine}-linux-gnu"
_LINKS = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64"}


def write_tar(
    path: Path,
    programs: Iterable[str],
    folders: Iterable[str] = (),
    links: Mapping[str, str] | None = None,
    files: Mapping[str, Path] | None = None,
) -> None:
    """Write a tar of programs with all that they are linked with.

    Args:
        path: The tar.
        programs: Their paths, which they have inside, too.
        folders: Such with data and plugins.
        links: Symbolic links by name.
        files: More files, by the name inside; programs that were built for this.
    """
    folders, programs, files = tuple(folders), tuple(programs), files or {}
    plugins = [str(found) for folder in folders for found in Path(folder).rglob("*.so")]
    needed = _linked_with([*programs, *map(str, files.values()), *plugins])
    with tarfile.open(path, "w", dereference=True) as tar:
        for link, target in {**_LINKS, **(links or {})}.items():
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
        for name, file in files.items():
            tar.add(file, name)
        for file in sorted({*programs, *needed}):
            tar.add(file, _below_usr(file))
        for folder in folders:
            tar.add(folder, folder.lstrip("/"))
        for name in ("etc/passwd", "etc/group"):
            tar.add(f"/{name}", name)


def _below_usr(path: str) -> str:
    name = path.lstrip("/")
    return name if name.startswith(("usr/", "etc/")) else f"usr/{name}"


def _linked_with(files: Iterable[str]) -> Iterator[str]:
    """Return the libraries of some programs, by the paths where the loader finds them."""
    done = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False)
    found = re.findall(r"(/[^\s:]+) \(0x", done.stdout)
    return (name for name in set(found) if os.path.exists(name))
