"""`rootless cp`, the real executable: both directions, running and stopped."""

import os
import stat
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of the host with a file and a folder, and an empty one."""
    (tmp_path / "f").write_text("of the host\n")
    (tmp_path / "f").chmod(0o640)
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "g").write_text("g\n")
    (tmp_path / "d" / "l").symlink_to("/etc/hostname")
    os.link(tmp_path / "d" / "e" / "g", tmp_path / "d" / "twin")
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture(params=["running", "stopped"])
def container(
    request: pytest.FixtureRequest,
    demo_own: Rootless,
    id_map_options: tuple[str, ...],
    overlay_driver: str,
) -> Rootless:
    """An executable with a container `c`, in each state, of each driver and map."""
    options = (*id_map_options, "--overlay-driver", overlay_driver, "--name", "c")
    if request.param == "running":
        demo_own.ok("run", "-d", *options, "debian-demo", "sleep", "300")
    else:
        demo_own.ok("create", *options, "debian-demo", "true")
    return demo_own


def listed(rootless: Rootless, path: str) -> dict[str, tarfile.TarInfo]:
    """Return what `cp c:PATH -` has in its tar."""
    done = subprocess.run(
        rootless.command("cp", f"c:{path}", "-"),
        env=dict(rootless.home.environ),
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        return {member.name: member for member in archive}


def test_there_and_back(container: Rootless, host: Path) -> None:
    """Files and folders keep contents, modes, links and times; the container's own is the owner."""
    container.ok("cp", host / "f", "c:/srv")
    container.ok("cp", host / "d", "c:srv/copy")
    container.ok("cp", f"{host}/d/.", "c:/srv")
    found = listed(container, "/srv")
    assert sorted(found) == [
        *("srv", "srv/copy", "srv/copy/e", "srv/copy/e/g", "srv/copy/l", "srv/copy/twin"),
        *("srv/e", "srv/e/g", "srv/f", "srv/l", "srv/twin"),
    ]
    assert (found["srv/f"].uid, found["srv/f"].gid, found["srv/f"].mode) == (0, 0, 0o640)
    assert found["srv/f"].mtime == (host / "f").stat().st_mtime
    assert found["srv/copy/twin"].islnk()
    container.ok("cp", "c:/srv/copy", host / "out")
    copy = host / "out" / "copy"
    assert (copy / "e" / "g").read_text() == "g\n"
    assert (copy / "e" / "g").stat().st_ino == (copy / "twin").stat().st_ino
    assert os.readlink(copy / "l") == "/etc/hostname"
    assert (copy / "twin").stat().st_uid == os.getuid()
    assert (copy / "twin").stat().st_mtime_ns == (host / "d" / "twin").stat().st_mtime_ns


def test_onto_what_is_there(demo_own: Rootless, host: Path) -> None:
    """The rules of both tools, as `rootless cp --help` has them."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    demo_own.ok("cp", host / "f", "c:/tmp/new")
    demo_own.ok("cp", "c:/tmp/new", host / "d" / "twin")
    assert (host / "d" / "e" / "g").read_text() == "of the host\n"  # the file that it is
    demo_own.ok("cp", "c:/etc", host / "out")
    demo_own.ok("cp", "c:/etc", host / "out" / "named")
    assert (host / "out" / "etc" / "passwd").exists()
    assert (host / "out" / "named" / "passwd").exists()
    demo_own.ok("cp", "c:/etc/os-release", host / "out")  # a link at the end is followed
    assert not (host / "out" / "os-release").is_symlink()
    for words, says in (
        ((host / "d", "c:/etc/passwd"), "a folder cannot be copied onto a file: /etc/passwd"),
        ((host / "f", "c:/none/"), "no such folder: /none/"),
        ((host / "f", "c:/none/x"), "cannot be opened: /none: no such file or directory"),
        ((f"{host}/f/", "c:/tmp"), "not a directory"),
        (("c:/none", host), "cannot be opened: /none: no such file or directory"),
        (("c:/etc/passwd/", host), "not a directory"),
        (("c:/etc", host / "f"), f"a folder cannot be copied onto a file: {host}/f"),
        ((host / "none", "c:/tmp"), f"cannot be opened: {host}/none"),
        ((host / "f", host / "g"), "neither path is a container's"),
        ((host / "f", "x:/tmp"), "no such container: x"),
        ((host / "f", "c:"), "no path in the container"),
        (("-", "c:/none"), "no such folder: /none"),
        (("-", "c:/etc/passwd"), "a folder cannot be copied onto a file"),
    ):
        said = demo_own("cp", *words)
        assert (said.status, said.stdout) == (125, ""), (words, said)
        assert says in said.stderr, words
        assert said.stderr.count("\n") == 1, said.stderr


def test_owners(demo_own: Rootless, host: Path) -> None:
    """A container's user gets what comes in, or root does without -a; a tar's owners are kept."""
    if not (host / "f").exists() or demo_own("run", "debian-demo", "chown", "5", "/srv").status:
        pytest.skip("needs sub-ID ranges")
    demo_own.ok("create", "--name", "c", "-u", "1000:1001", "debian-demo", "true")
    demo_own.ok("cp", host / "f", "c:/srv/a")
    demo_own.ok("cp", "--no-archive", host / "f", "c:/srv/b")
    found = listed(demo_own, "/srv")
    assert (found["srv/a"].uid, found["srv/a"].gid) == (1000, 1001)
    assert (found["srv/b"].uid, found["srv/b"].gid) == (0, 0)
    tar = subprocess.run(
        ["tar", "-C", host, "--owner=7", "--group=8", "-cz", "f"], capture_output=True, check=True
    ).stdout
    command = demo_own.command("cp", "--no-archive", "-", "c:/opt")
    subprocess.run(command, input=tar, env=dict(demo_own.home.environ), check=True)
    assert (listed(demo_own, "/opt")["opt/f"].uid, listed(demo_own, "/opt")["opt/f"].gid) == (7, 8)


def test_set_id_bits_do_not_come_out(demo_own: Rootless, host: Path) -> None:
    """They would make a container's program run as the user; inside they are kept."""
    script = "cp /bin/true /x; chmod 6755 /x; mknod /p p"
    demo_own.ok("run", "--name", "c", "debian-demo", "sh", "-c", script)
    demo_own.ok("cp", "c:/x", host / "out")
    assert stat.S_IMODE((host / "out" / "x").stat().st_mode) == 0o755
    assert listed(demo_own, "/x")["x"].mode == 0o6755
    demo_own.ok("cp", "c:/p", host / "out")
    assert stat.S_ISFIFO((host / "out" / "p").stat().st_mode)


def test_a_tar_into_a_folder_that_is_a_link(demo_own: Rootless, host: Path) -> None:
    """/lib is a link in a merged /usr: what a tar has in it comes to lie in /usr/lib."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    (host / "lib").mkdir()
    (host / "lib" / "mine").touch()
    tar = subprocess.run(["tar", "-C", host, "-c", "lib"], capture_output=True, check=True).stdout
    command = demo_own.command("cp", "-", "c:/")
    subprocess.run(command, input=tar, env=dict(demo_own.home.environ), check=True)
    assert "mine" in listed(demo_own, "/usr/lib/mine")
    assert demo_own.ok("diff", "c").splitlines()[-1] == "A /usr/lib/mine"


def test_between_containers(demo_own: Rootless, host: Path) -> None:
    """From one into another."""
    demo_own.ok("run", "--name", "one", "debian-demo", "sh", "-c", "echo hi >/x")
    demo_own.ok("run", "-d", "--name", "c", "debian-demo", "sleep", "300")
    demo_own.ok("cp", "one:/x", "c:/srv")
    assert "srv/x" in listed(demo_own, "/srv")
