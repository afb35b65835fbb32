"""What tests of loads and imports share: a store's whole listing, refusals, and streams."""

import hashlib
import os
import pty
import subprocess
from pathlib import Path

import images
from executable import Result, Rootless

Listing = dict[str, tuple[int, ...] | str]


def listing(folder: Path) -> Listing:
    """Return what lies below a folder: of files inode, size, time and contents' digest."""
    found: Listing = {}
    for root, folders, files in os.walk(folder):
        for name in folders:
            found[os.path.relpath(os.path.join(root, name), folder)] = "folder"
        for name in files:
            path = os.path.join(root, name)
            status = os.lstat(path)
            digest = ""
            if os.path.isfile(path):
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            found[os.path.relpath(path, folder)] = (
                status.st_ino,
                status.st_mode,
                status.st_mtime_ns,
                int(digest or "0", 16),
            )
    return found


def protect(store: Path, mode: int) -> None:
    """Give all folders of a store a mode: 0o555 for one that cannot be written to."""
    for folder, _, _ in os.walk(store):
        Path(folder).chmod(mode)


def temp_files(store: Path) -> list[str]:
    """Return the paths of what is under construction, or was."""
    return [str(path.relative_to(store)) for path in store.rglob(".tmp-*")]


def objects(store: Path) -> set[str]:
    """Return the blobs, indexes and trees of a store."""
    folders = ("blobs/sha256", "layers/sha256", "trees")
    return {f"{folder}/{name}" for folder in folders for name in os.listdir(store / folder)}


def fed(rootless: Rootless, source: Path, *words: str) -> Result:
    """Run it with a file's bytes coming through a pipe."""
    with subprocess.Popen(["cat", source], stdout=subprocess.PIPE) as writer:
        process = rootless.start(
            *words, stdin=writer.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert writer.stdout is not None
        writer.stdout.close()
        out, err = process.communicate(timeout=60)
        writer.wait(10)
    return Result(process.returncode, out.decode(), err.decode())


def on_terminal(rootless: Rootless, *words: str | Path, typed: str = "") -> Result:
    """Run it with stdin and stderr on a terminal; what it wrote there is the result's stderr."""
    ours, theirs = pty.openpty()
    try:
        process = rootless.start(*words, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE)
    finally:
        os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            shown += chunk
    except OSError:  # EIO: everybody closed the terminal
        pass
    finally:
        os.close(ours)
    out, _ = process.communicate(timeout=60)
    return Result(process.returncode, out.decode(), shown.decode())


def refused(
    rootless: Rootless, *words: str | Path, says: tuple[str, ...], stdin: Path | None = None
) -> str:
    """Expect one line with these words, status 125, and a store and folders as before.

    The store holds an image before, so that there is something to damage; the line is returned.
    """
    if not rootless.home.store.exists():
        folder = rootless.home.path / "good"
        images.oci_layout(folder, [images.small_layer()], tag="good")
        rootless.ok("load", "-q", folder)
    before = listing(rootless.home.path)
    result = rootless(*words) if stdin is None else fed(rootless, stdin, *map(str, words))
    assert result.status == 125, f"status {result.status}: {result.stdout}{result.stderr}"
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("rootless: ")
    assert "internal error" not in lines[0]
    missing = [text for text in says if text not in lines[0]]
    assert not missing, f"{missing} not in: {lines[0]}"
    assert listing(rootless.home.path) == before
    return lines[0]
