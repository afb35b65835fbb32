"""Squashfs images and SIF files run where they lie, as images do."""

import os
import shutil
from pathlib import Path

import pytest
import squashfs_images as images
from executable import Rootless

both_users = pytest.mark.both_users


@both_users
@pytest.mark.parametrize("driver", ["hybrid", "fuse"])
def test_a_command(driver: str, plain_image: Path, rootless: Rootless) -> None:
    """A command runs, and what it writes goes with it."""
    script = 'read line </file; echo "$line"; echo changed >/file; read line </file; echo "$line"'
    for _ in range(2):
        out = rootless.ok("run", "--overlay-driver", driver, plain_image, "/bin/sh", "-c", script)
        assert out == "of the image\nchanged\n"


def test_the_shell_is_the_command(plain_image: Path, rootless: Rootless) -> None:
    """An image that says nothing runs its shell."""
    assert (
        rootless.ok("run", "-i", plain_image, stdin="echo from the shell\n") == "from the shell\n"
    )


@both_users
def test_runscript(sif: Path, rootless: Rootless) -> None:
    """Without a command the runscript runs, in the image's environment."""
    assert rootless.ok("run", sif) == "runscript 0 from the environment\n"


def test_command_in_the_environment(sif: Path, rootless: Rootless) -> None:
    """A command runs in the image's environment, as `apptainer exec` has it."""
    script = 'echo "$GREETING $FROM_IMAGE $APPTAINER_NAME"'
    out = rootless.ok("run", sif, "sh", "-c", script)
    assert out == "from the environment 1 tool.sif\n"


def test_runscript_with_arguments(sif: Path, rootless: Rootless) -> None:
    """The runscript is a command as any other, and takes arguments as they are."""
    out = rootless.ok("run", sif, "/.singularity.d/runscript", "a b", "*", "$HOME")
    assert out == "runscript 3 from the environment\n<a b>\n<*>\n<$HOME>\n"


def test_statuses(sif: Path, rootless: Rootless) -> None:
    """The command's status is the run's; one that is not there is 127."""
    assert rootless("run", sif, "sh", "-c", "exit 7").status == 7
    assert rootless("run", sif, "no-such-command").status == 127


def test_nothing_beside_the_file(plain_image: Path, tmp_path: Path, rootless: Rootless) -> None:
    """A run writes nothing beside the image; a read-only folder serves."""
    folder = tmp_path / "shared"
    folder.mkdir()
    shutil.copy(plain_image, folder / "image")
    folder.chmod(0o555)
    before = os.stat(folder / "image")
    assert rootless.ok("run", "./image", "/bin/sh", "-c", "echo ran", cwd=folder) == "ran\n"
    assert os.listdir(folder) == ["image"]
    assert os.stat(folder / "image").st_mtime_ns == before.st_mtime_ns


def test_made_once(plain_image: Path, tmp_path: Path, rootless: Rootless) -> None:
    """The tree is made at the first run; another file of the same name gets another."""
    image = tmp_path / "image.sqfs"
    shutil.copy(plain_image, image)
    folder = rootless.home.store / "foreign"
    for _ in range(2):
        rootless.ok("run", image, "/bin/sh", "-c", "true")
    first = {path: path.stat().st_ino for path in folder.iterdir()}
    assert len(first) == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "only").write_text("x")
    image.unlink()
    images.squash(tmp_path / "other", image, pseudo=())
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    rootless.ok("mount", image, mounted)
    try:
        assert os.listdir(mounted) == ["only"]
    finally:
        rootless.ok("umount", mounted)
    assert len(list(folder.iterdir())) == 4


def test_read_only_store(plain_image: Path, rootless: Rootless) -> None:
    """Where the store cannot be written, the tree is kept in the run-time folder."""
    rootless.home.store.mkdir()
    rootless.home.store.chmod(0o555)
    try:
        for _ in range(2):
            assert rootless.ok("run", plain_image, "/bin/sh", "-c", "echo ran") == "ran\n"
        assert os.listdir(rootless.home.store) == []
        assert len(os.listdir(rootless.home.runtime / "foreign")) == 2
    finally:
        rootless.home.store.chmod(0o755)


@both_users
def test_named_containers(plain_image: Path, rootless: Rootless) -> None:
    """A container keeps what it writes, is listed, and is started again."""
    script = "echo again >>/kept; while read line; do echo $line; done </kept"
    rootless.ok("create", "--name", "box", plain_image, "/bin/sh", "-c", script)
    assert rootless.ok("start", "--attach", "box") == "again\n"
    assert rootless.ok("start", "--attach", "box") == "again\nagain\n"
    assert "A /kept" in rootless.ok("diff", "box")
    rootless.ok("rm", "box")


def test_overlay_and_volumes(plain_image: Path, tmp_path: Path, rootless: Rootless) -> None:
    """--overlay keeps what is written, a volume is a volume."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "in").write_text("of the host\n")
    script = "read line </work/in; echo $line >/out; read line </out; echo $line"
    options = ("--overlay", tmp_path / "kept", "-v", f"{tmp_path / 'shared'}:/work")
    out = rootless.ok("run", *options, plain_image, "/bin/sh", "-c", script)
    assert out == "of the host\n"
    assert (tmp_path / "kept" / "upper" / "out").read_text() == "of the host\n"


def test_inspect(sif: Path, rootless: Rootless) -> None:
    """Labels, command and architecture are the file's."""
    assert rootless.ok("inspect", "-f", ".Config.Labels.maintainer", sif) == "somebody\n"
    assert rootless.ok("inspect", "-f", ".Architecture", sif) == "amd64\n"
    assert rootless.ok("inspect", "-f", ".Config.Cmd.0", sif) == "/.singularity.d/runscript\n"


@pytest.mark.parametrize(
    ("form", "said"),
    [(2, "ext3"), (5, "encrypted"), (4, "raw data"), (99, "type 99")],
)
def test_refused_partitions(
    form: int, said: str, plain_image: Path, tmp_path: Path, rootless: Rootless
) -> None:
    """What cannot be read in place is refused, with the reason."""
    done = rootless("run", images.sif_of(plain_image, tmp_path / "x.sif", form=form))
    assert done.status == 125
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_primary_partition(plain_image: Path, tmp_path: Path, rootless: Rootless) -> None:
    """A file without one says so."""
    done = rootless("run", images.sif_of(plain_image, tmp_path / "x.sif", role=3))
    assert "no primary partition" in done.stderr


def test_damaged_sif(sif: Path, tmp_path: Path, rootless: Rootless) -> None:
    """Each way of damage ends in one line."""
    good = sif.read_bytes()
    for cut in (60, 128, 5000, len(good) - 70_000):
        (tmp_path / "x.sif").write_bytes(good[:cut])
        done = rootless("run", tmp_path / "x.sif", "true")
        assert done.status == 125
        assert done.stderr.startswith(("rootless: damaged", "rootless: the SIF file has no"))
        assert done.stderr.count("\n") == 1


def test_not_an_image(tmp_path: Path, rootless: Rootless) -> None:
    """A file of another kind is told from a name."""
    (tmp_path / "file").write_text("no image\n")
    done = rootless("run", tmp_path / "file", "true")
    assert "not an image that runs in place" in done.stderr
    assert "no such file" in rootless("run", "./missing", "true", cwd=tmp_path).stderr
