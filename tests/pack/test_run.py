"""A pack runs where it lies, as the image does in a store."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from executable import Rootless

both_users = pytest.mark.both_users
ALL = (
    "for each in /data/*; do echo $each; done; "
    'read line </data/changed; echo "$line"; read line </data/link; echo "$line"'
)
EXPECTED = "/data/changed\n/data/kept\n/data/link\n/data/random\nnew\nkept\n"


@both_users
@pytest.mark.parametrize("driver", ["hybrid", "fuse"])
def test_files_are_the_image_s(driver: str, pack: Path, rootless: Rootless) -> None:
    """All layers are there, merged; what is written goes with the run."""
    out = rootless.ok("run", "--overlay-driver", driver, pack, "/bin/sh", "-c", ALL)
    assert out == EXPECTED
    assert rootless.ok("run", pack, "/bin/sh", "-c", "echo x >/data/changed; " + ALL) != EXPECTED
    assert rootless.ok("run", pack, "/bin/sh", "-c", ALL) == EXPECTED


def test_contents_are_the_layers(pack: Path, tmp_path: Path, small: Rootless) -> None:
    """Every byte of a large file is the layer's."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    small.ok("mount", pack, mounted)
    try:
        assert (mounted / "data" / "random").read_bytes() == bytes(range(256)) * 4000
        assert sorted(os.listdir(mounted / "data")) == ["changed", "kept", "link", "random"]
    finally:
        small.ok("umount", mounted)


@both_users
def test_config_is_the_image_s(pack: Path, rootless: Rootless) -> None:
    """Command, variables and users are those of the image."""
    assert rootless.ok("run", pack) == "the command\n"
    script = 'echo "$FROM $HOME"'
    assert rootless.ok("run", "-u", "root", pack, "/bin/sh", "-c", script) == "image /\n"


@both_users
def test_needs_no_store(packs: dict[str, Path], tmp_path: Path, rootless: Rootless) -> None:
    """A copy in a read-only folder runs by a relative path, and nothing is written beside it."""
    pack = packs["zstd"]
    folder = tmp_path / "shared"
    folder.mkdir()
    shutil.copy(pack, folder / "debian")
    folder.chmod(0o555)
    try:
        out = rootless.ok(
            *("run", "./debian", "/bin/sh", "-c", "echo ran"),
            cwd=folder,
            env={"ROOTLESS_HOME": "/nonexistent/store"},
        )
        assert out == "ran\n"
        assert os.listdir(folder) == ["debian"]
    finally:
        folder.chmod(0o755)


def test_read_only_store(packs: dict[str, Path], rootless: Rootless) -> None:
    """A store that cannot be written is not written."""
    pack = packs["zstd"]
    rootless.home.store.mkdir()
    rootless.home.store.chmod(0o555)
    try:
        assert rootless.ok("run", pack) == "the command\n"
        assert os.listdir(rootless.home.store) == []
    finally:
        rootless.home.store.chmod(0o755)


def test_a_name_comes_before_a_file(packs: dict[str, Path], small: Rootless) -> None:
    """A word without a path is the store's image, and a file's only where that has none."""
    folder = packs["none"].parent
    (folder / "small").write_text("no pack")
    shutil.copy(packs["none"], folder / "only-here")
    assert small.ok("run", "small", cwd=folder) == "the command\n"
    assert "not an image" in small("run", "./small", cwd=folder).stderr
    assert small.ok("run", "only-here", cwd=folder) == "the command\n"


def test_program(small: Rootless, tmp_path: Path) -> None:
    """An executable pack is a program: its words are the command's."""
    program = tmp_path / "tool"
    small.ok("pack", "-q", "--executable", "small", program)
    assert os.access(program, os.X_OK)
    path = f"{Path(small.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [program, "/bin/sh", "-c", 'echo "$1"', "sh", "a  b"],
        env={**small.home.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "a  b\n"), done.stderr
    assert small.ok("run", program) == "the command\n"


@both_users
def test_named_container(packs: dict[str, Path], rootless: Rootless) -> None:
    """A container of a pack keeps what it writes, is listed and started again."""
    pack = packs["zstd"]
    script = "echo again >>/kept; while read line; do echo $line; done </kept"
    rootless.ok("create", "--name", "box", pack, "/bin/sh", "-c", script)
    assert rootless.ok("start", "--attach", "box") == "again\n"
    assert rootless.ok("start", "--attach", "box") == "again\nagain\n"
    assert rootless.ok("diff", "box") == "A /kept\n"
    assert str(pack) in rootless.ok("ps", "-a", "--format", "json")
    rootless.ok("rm", "box")


def test_detached_container(packs: dict[str, Path], rootless: Rootless) -> None:
    """One that lives on takes `exec`."""
    pack = packs["zstd"]
    rootless.ok("run", "-d", "--name", "live", pack, "/bin/sh", "-c", "read forever </dev/ptmx")
    try:
        out = rootless.ok("exec", "live", "/bin/sh", "-c", "echo inside")
        assert out == "inside\n"
    finally:
        rootless.ok("rm", "-f", "live")


def test_the_file_has_gone(packs: dict[str, Path], tmp_path: Path, rootless: Rootless) -> None:
    """A container whose pack has gone says which, in one line, and starts when it is back."""
    pack = tmp_path / "moved.rlf"
    shutil.copy(packs["none"], pack)
    rootless.ok("create", "--name", "box", pack)
    pack.rename(tmp_path / "elsewhere")
    done = rootless("start", "--attach", "box")
    assert done.status == 125
    assert str(pack) in done.stderr
    assert done.stderr.count("\n") == 1
    (tmp_path / "elsewhere").rename(pack)
    assert rootless.ok("start", "--attach", "box") == "the command\n"
    rootless.ok("rm", "box")


def test_commit(packs: dict[str, Path], rootless: Rootless) -> None:
    """A container of a pack is committed once the store has the image; before, one line."""
    pack = packs["zstd"]
    rootless.ok("run", "--name", "box", pack, "/bin/sh", "-c", "echo more >/data/more")
    done = rootless("commit", "box", "more")
    assert done.status == 125
    assert f"rootless load {pack}" in done.stderr
    rootless.ok("load", "-q", pack)
    rootless.ok("commit", "-q", "box", "more")
    script = "read line </data/more; echo $line"
    assert rootless.ok("run", "more", "/bin/sh", "-c", script) == "more\n"
    rootless.ok("rm", "box")
