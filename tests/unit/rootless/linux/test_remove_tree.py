"""`rootless.linux.remove_tree`: everything goes, and nothing else."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rootless.linux.remove_tree import remove_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with something of each kind."""
    root = tmp_path / "tree"
    for name in ("a/b/c", "a/b/d", "e", "f/g"):
        (root / name).mkdir(parents=True)
    (root / "a" / "b" / "file").write_text("x")
    os.mkfifo(root / "e" / "p")
    (root / "f" / "g" / "out").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "s"))
    return root


def test_all_of_it_and_no_more(tree: Path) -> None:
    """What a link leads to stays."""
    remove_tree(tree)
    assert os.listdir(tree.parent) == ["kept"]
    assert os.listdir(tree.parent / "kept") == ["file"]
    remove_tree(tree)


_OVER = """
import sys
from pathlib import Path
from rootless.linux.remove_tree import remove_tree
remove_tree(Path(sys.argv[1]))
"""


@pytest.mark.needs_user
def test_what_is_mounted_in_it(tree: Path) -> None:
    """A mount is not gone into: what lies there is somebody's own."""
    script = 'mount --bind "$1" "$2" && exec "$3" -c "$4" "$5"'
    words = [tree.parent / "kept", tree / "a/b/c", sys.executable, _OVER, tree]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Device or resource busy: 'c'" in done.stderr
    assert os.listdir(tree.parent / "kept") == ["file"]
    remove_tree(tree)
    assert os.listdir(tree.parent / "kept") == ["file"]


def test_deeper_than_any_path(tmp_path: Path) -> None:
    """Thousands of folders in each other go, with few descriptors."""
    top = tmp_path / "tree"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("deep", dir_fd=fd)
        inner = os.open("deep", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    remove_tree(top)
    assert os.listdir(tmp_path) == []


@pytest.mark.needs_user
def test_folders_that_are_closed(tree: Path) -> None:
    """Modes of one's own folders are in nobody's way."""
    (tree / "a" / "b").chmod(0)
    (tree / "f").chmod(0o500)
    (tree / "e").chmod(0)
    remove_tree(tree)
    assert not tree.exists()
