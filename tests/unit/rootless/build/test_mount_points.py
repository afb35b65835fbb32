"""What was made for mounts goes from the upperdir, and nothing else."""

import os
from pathlib import Path

import pytest
from images import LayerBuilder
from trees import build_tree

from fuse.tree import Tree
from rootless.build.mount_points import remove_mount_points

TIME = 1_000_000_000


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with some folders, and links that lead around."""
    layer = LayerBuilder().directory("run", mtime=1).directory("etc", mtime=1).file("etc/there")
    layer.symlink("var/run", "/run").symlink("etc/dangling", "../run/made").symlink("loop", "loop")
    return build_tree(tmp_path / "layers", [layer])


def cleaned(tmp_path: Path, tree: Path, *destinations: str) -> list[str]:
    """Return what is left of the upperdir."""
    upper = tmp_path / "upper"
    fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with Tree.open(tree) as opened:
            remove_mount_points(fd, opened, destinations)
    finally:
        os.close(fd)
    return sorted(str(path.relative_to(upper)) for path in upper.rglob("*"))


def upper_with(tmp_path: Path, *paths: str) -> Path:
    """Make an upperdir; a path that ends in a slash is a folder."""
    for path in paths:
        place = tmp_path / "upper" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            place.mkdir(exist_ok=True)
        else:
            place.touch()
    return tmp_path / "upper"


def test_made_for_a_mount(tmp_path: Path, tree: Path) -> None:
    """Files, folders, and the folders above them; also where a link of the image leads to."""
    upper_with(tmp_path, "run/secrets/a", "cache/a/b/", "proc/", "run/made", "etc/hosts")
    left = cleaned(
        *(tmp_path, tree, "/var/run/secrets/a", "/cache/a/b", "/proc", "/etc/dangling"),
        *("/etc/hosts", "/etc/there", "/loop/x", "/not/made"),
    )
    assert left == ["etc", "run"]
    for name in left:
        assert (tmp_path / "upper" / name).stat().st_mtime_ns == TIME


def test_what_the_workload_used(tmp_path: Path, tree: Path) -> None:
    """What has something in it by now stays, with what is above; so does what the image has."""
    upper = upper_with(tmp_path, "cache/a/b/", "cache/mine", "etc/there", "run/secrets/a")
    (upper / "run/secrets/a").write_text("written")
    left = cleaned(tmp_path, tree, "/cache/a/b", "/etc/there", "/run/secrets/a")
    assert left == [
        "cache",
        "cache/mine",
        "etc",
        "etc/there",
        "run",
        "run/secrets",
        "run/secrets/a",
    ]
    assert (upper / "run").stat().st_mtime_ns != TIME


def test_what_took_its_place(tmp_path: Path, tree: Path) -> None:
    """Something else of that name is the workload's; nothing is looked for through its links."""
    outside = tmp_path / "outside"
    (outside / "x").mkdir(parents=True)
    upper = upper_with(tmp_path, "run/")
    (upper / "new").symlink_to(outside)
    (upper / "run" / "pipe").symlink_to(outside)
    assert cleaned(tmp_path, tree, "/new/x", "/run/pipe") == ["new", "run", "run/pipe"]
    assert (outside / "x").is_dir()
