"""`rootless export`, the real executable."""

import os
import signal
import subprocess
import tarfile
from pathlib import Path

import loading
import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

SCRIPT = "rm /etc/motd; echo new >/etc/new; ln /etc/new /etc/twin; chmod 4711 /bin/true"


@pytest.fixture
def changed(demo_own: Rootless, id_map_options: tuple[str, ...], overlay_driver: str) -> Rootless:
    """An executable whose store has a container `c`, with changes."""
    options = (*id_map_options, "--overlay-driver", overlay_driver, "--name", "c")
    demo_own.ok("run", *options, "debian-demo", "sh", "-c", SCRIPT)
    return demo_own


def test_is_the_whole_file_system(changed: Rootless, tmp_path: Path) -> None:
    """GNU tar reads all of it; it is the same each time, from a pipe as in a file."""
    changed.ok("export", "-o", tmp_path / "c.tar", "c")
    with tarfile.open(tmp_path / "c.tar") as archive:
        members = {member.name: member for member in archive}
    assert "etc/motd" not in members
    assert "usr/bin/true" in members
    assert members["usr/bin/true"].mode == 0o4711
    assert (members["etc/twin"].islnk(), members["etc/twin"].linkname) == (True, "etc/new")
    # a path of the image whose owner a map of one ID lacks
    assert members["etc/shadow"].gid == 42
    done = subprocess.run(["tar", "-tf", tmp_path / "c.tar"], capture_output=True, check=True)
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == len(members)
    piped = subprocess.run(
        changed.command("export", "c"),
        env=dict(changed.home.environ),
        capture_output=True,
        check=True,
    )
    assert piped.stdout == (tmp_path / "c.tar").read_bytes()


def test_import_makes_an_image_of_it(demo_own: Rootless, tmp_path: Path) -> None:
    """What was exported runs as an image."""
    demo_own.ok("run", "--name", "c", "debian-demo", "sh", "-c", SCRIPT)
    demo_own.ok("export", "-q", "-o", tmp_path / "c.tar", "c")
    demo_own.ok("import", "-q", tmp_path / "c.tar", "again")
    assert demo_own.ok("run", "again", "cat", "/etc/twin") == "new\n"


def test_no_tar_on_a_terminal(demo_own: Rootless) -> None:
    """It is refused in one line."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    ours, theirs = os.openpty()
    try:
        process = demo_own.start("export", "c", stdout=theirs, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 125
    assert b"no tar is written to a terminal" in err


def test_shows_progress_on_a_terminal(demo_own: Rootless, tmp_path: Path) -> None:
    """Unless --quiet."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    shown = loading.on_terminal(demo_own, "export", "-o", tmp_path / "a.tar", "c")
    assert "layer export" in shown.stderr
    quiet = loading.on_terminal(demo_own, "export", "-q", "-o", tmp_path / "b.tar", "c")
    assert "\x1b" not in quiet.stderr


def test_a_file_is_whole_or_not_there(demo_own: Rootless, tmp_path: Path) -> None:
    """What cannot be written is one line, and leaves what was there."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    said = demo_own("export", "-o", tmp_path / "none" / "c.tar", "c")
    assert said.status == 125
    assert f"{tmp_path}/none" in said.stderr
    assert said.stderr.count("\n") == 1
    (tmp_path / "old.tar").write_text("old")
    script = 'ulimit -f 100; exec "$@"'
    command = demo_own.command("export", "-o", tmp_path / "old.tar", "c")
    done = subprocess.run(
        ["sh", "-c", script, "sh", *command],
        env=dict(demo_own.home.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 125, done
    assert "file too large" in done.stderr
    assert os.listdir(tmp_path) == ["old.tar"]
    assert (tmp_path / "old.tar").read_text() == "old"
    demo_own.ok("export", "-o", "/dev/null", "c")


def test_a_reader_that_has_enough(demo_own: Rootless) -> None:
    """A closed pipe is a quiet end, as of tar."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    words = demo_own.command("export", "c")
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=dict(demo_own.home.environ), stdout=pipe, stderr=pipe) as tar:
        assert tar.stdout is not None
        assert tar.stderr is not None
        assert len(tar.stdout.read(10)) == 10
        tar.stdout.close()
        assert tar.stderr.read() == b""
    assert tar.returncode == 128 + signal.SIGPIPE
