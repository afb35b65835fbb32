"""Volumes and tmpfs, as podman has them."""

import os
from pathlib import Path

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def test_folder(demo: Rootless, folder: Path, id_map_options: tuple[str, ...], driver: str) -> None:
    """-v binds a folder at a path that the image lacks; both sides see what is written."""
    options = (*id_map_options, "--overlay-driver", driver, "-v", f"{folder}:/deep/in/here")
    script = "cd /deep/in/here; cat file; echo new > new; mv file f"
    assert demo.ok("run", *options, "debian-demo", "sh", "-c", script) == "of the host\n"
    assert sorted(os.listdir(folder)) == ["f", "new"]


def test_read_only_folder(demo: Rootless, folder: Path, driver: str) -> None:
    """:ro refuses writes, also to root."""
    options = ("--overlay-driver", driver, "-v", f"{folder}:/f:ro")
    result = demo("run", *options, "debian-demo", "sh", "-c", "echo x > /f/file; touch /f/new")
    assert result.stderr.count("Read-only file system") == 2
    assert os.listdir(folder) == ["file"]


def test_sources(demo: Rootless, folder: Path) -> None:
    """A source is relative to the caller's folder, `.` and `~` among them."""
    ls = ("debian-demo", "ls", "/f")
    assert demo.ok("run", "-v", ".:/f", *ls, cwd=folder) == "file\n"
    assert demo.ok("run", "-v", "./:/f", *ls, cwd=folder) == "file\n"
    assert demo.ok("run", "-v", "./folder:/f", *ls, cwd=folder.parent) == "file\n"
    assert demo.ok("run", "-v", "~:/f", *ls, env={"HOME": str(folder)}) == "file\n"
    assert demo.ok("run", "-v", "~/folder:/f", *ls, env={"HOME": str(folder.parent)}) == "file\n"


def test_file(demo: Rootless, folder: Path, driver: str) -> None:
    """A file is bound on a file, on one that the image lacks, and not on a folder."""
    source = f"{folder}/file"
    options = ("--overlay-driver", driver, "-v", f"{source}:/etc/motd", "-v", f"{source}:/new/f")
    assert demo.ok("run", *options, "debian-demo", "cat", "/etc/motd", "/new/f") == (
        "of the host\n" * 2
    )
    result = demo("run", "-v", f"{source}:/etc", "debian-demo", "true")
    assert result.status == 125
    assert result.stderr == "rootless: the mount point must be a file in the image: /etc\n"


@pytest.mark.parametrize(
    ("volume", "says"),
    [
        ("/no/such:/x", "the source of a volume does not exist: /no/such"),
        ("/tmp", "a volume must have the form SOURCE:DESTINATION[:OPTIONS]: /tmp"),
        ("/tmp:x", "the destination must be an absolute path: /tmp:x"),
        ("/tmp:/", "the destination must not be the root: /tmp:/"),
        ("/tmp:/x/../..", "the destination must not be the root"),
        ("/tmp:/x:fast", "unknown volume option 'fast': /tmp:/x:fast"),
        ("data:/x", "named volumes are not supported: data:/x (for a folder of yours say ./data)"),
        (":/x", "a volume must have the form"),
    ],
)
def test_wrong(demo: Rootless, volume: str, says: str) -> None:
    """What cannot be bound is one line."""
    result = demo("run", "-v", volume, "debian-demo", "true")
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert says in result.stderr


def test_same_destination_twice(demo: Rootless, folder: Path) -> None:
    """Two mounts at one place are a mistake."""
    result = demo("run", "-v", f"{folder}:/x", "--tmpfs", "/x/", "debian-demo", "true")
    assert result.status == 125
    assert result.stderr == "rootless: two mounts have the same destination: /x\n"


def test_outer_ones_are_mounted_first(demo: Rootless, folder: Path) -> None:
    """A mount below another is there in whatever order they are given."""
    options = ("-v", f"{folder}/file:/x/y/file", "--tmpfs", "/x")
    assert demo.ok("run", *options, "debian-demo", "cat", "/x/y/file") == "of the host\n"


def test_options(demo: Rootless, folder: Path) -> None:
    """Options such as noexec are in force; z and Z are accepted."""
    program = folder / "program"
    program.write_text("#!/bin/sh\necho ran\n")
    program.chmod(0o755)
    assert demo.ok("run", "-v", f"{folder}:/f:z", "debian-demo", "/f/program") == "ran\n"
    assert demo("run", "-v", f"{folder}:/f:noexec,Z", "debian-demo", "/f/program").status == 126


def test_a_linked_destination_stays_inside(demo: Rootless, folder: Path, driver: str) -> None:
    """A destination that is a link in the image is resolved in the image: /bin is usr/bin."""
    options = ("--overlay-driver", driver, "-v", f"{folder}:/bin/here")
    assert demo.ok("run", *options, "debian-demo", "ls", "/usr/bin/here") == "file\n"


def test_mount_bind(demo: Rootless, folder: Path) -> None:
    """--mount type=bind, with the names and spellings that podman knows."""
    for text in (
        f"type=bind,source={folder},destination=/f,readonly",
        f"type=bind,src={folder},dst=/f,ro=true",
        f"src={folder},target=/f,ro",
    ):
        result = demo("run", "--mount", text, "debian-demo", "sh", "-c", "cat /f/file; rm /f/file")
        assert result.stdout == "of the host\n"
        assert "Read-only" in result.stderr
    text = f"type=bind,src={folder},dst=/f,bind-propagation=rslave,readonly=false"
    demo.ok("run", "--mount", text, "debian-demo", "rm", "/f/file")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("type=volume,src=a,dst=/x", "unknown mount type: volume"),
        ("type=bind,dst=/x", "a bind mount needs a source"),
        ("type=bind,src=/tmp", "a mount needs a destination"),
        ("type=bind,src=/tmp,dst=/x,fast", "unknown mount option 'fast'"),
        ("type=tmpfs,dst=/x,fast", "unknown mount option 'fast'"),
        ("type=tmpfs,dst=/x,size=many", "cannot mount tmpfs with options"),
    ],
)
def test_mount_wrong(demo: Rootless, text: str, says: str) -> None:
    """What --mount cannot do is one line."""
    result = demo("run", "--mount", text, "debian-demo", "true")
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert says in result.stderr


def test_tmpfs(demo: Rootless, id_map_options: tuple[str, ...], driver: str) -> None:
    """--tmpfs begins with what the image has there, takes mode and size, and is memory."""
    options = (*id_map_options, "--overlay-driver", driver)
    script = "stat -f -c %T /etc; test -s /etc/os-release && rm -r /etc/apt && echo filled"
    out = demo.ok("run", *options, "--tmpfs", "/etc", "debian-demo", "sh", "-c", script)
    assert out == "tmpfs\nfilled\n"


def test_tmpfs_options(demo: Rootless) -> None:
    """Its mode and size are tmpfs(5)'s, notmpcopyup leaves it empty, type=tmpfs is the same."""
    script = "stat -c %a /t; df -k --output=size /t | tail -n 1; ls -A /usr/share"
    mounts = ("--tmpfs", "/t:size=1m,mode=750", "--tmpfs", "/usr/share:notmpcopyup")
    out = demo.ok("run", *mounts, "debian-demo", "sh", "-c", script)
    assert out.split() == ["750", "1024"]
    mounts = (
        *("--mount", "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=750"),
        *("--mount", "type=tmpfs,target=/usr/share,notmpcopyup"),
    )
    assert demo.ok("run", *mounts, "debian-demo", "sh", "-c", script) == out
    assert demo.ok("run", "--tmpfs", "/t", "debian-demo", "stat", "-c", "%a", "/t") == "1777\n"


def test_size_of_shared_memory(demo: Rootless) -> None:
    """/dev/shm has 64 MiB, or what --shm-size says."""
    command = ("debian-demo", "df", "-k", "--output=size", "/dev/shm")
    assert demo.ok("run", *command).split()[-1] == "65536"
    assert demo.ok("run", "--shm-size", "2m", *command).split()[-1] == "2048"


def test_volumes_of_the_image(rootless: Rootless, shell_layer: bytes) -> None:
    """An image's Volumes are writable in a read-only container, with what the image has there."""
    layer = images.LayerBuilder().directory("data", mode=0o750).file("data/given", b"x")
    shell_image.load_image(rootless, [shell_layer, layer], {"Volumes": {"/data": {}}})
    script = "echo /data/*; echo > /data/new && echo written; echo > /new"
    result = rootless("run", "--read-only", "small", "/bin/sh", "-c", script)
    assert result.stdout.split() == ["/data/given", "written"]
    assert "Read-only file system" in result.stderr
