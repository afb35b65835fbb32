"""The root file system of a run: writable, gone afterwards, kept where that was asked for."""

import os
import stat
import subprocess
from pathlib import Path

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def test_is_writable_and_goes(demo: Rootless, id_map_options: tuple[str, ...], driver: str) -> None:
    """What a run writes is not there in the next one."""
    options = (*id_map_options, "--overlay-driver", driver)
    script = "touch /x && rm -r /usr/share/doc && echo 1 >> /etc/passwd && ls /x /usr/share"
    assert "/x\n" in demo.ok("run", *options, "debian-demo", "sh", "-c", script)
    after = demo.ok("run", *options, "debian-demo", "sh", "-c", "ls / /usr/share; cat /etc/passwd")
    assert "x" not in after.split("/usr/share:")[0].split()
    assert "doc" in after.split()
    assert "\n1\n" not in after


def test_is_of_the_driver_that_was_asked_for(demo: Rootless) -> None:
    """The mount table shows kernel overlayfs under hybrid and our file system under fuse."""

    def root(name: str) -> str:
        options = ("--overlay-driver", name)
        lines = demo.ok("run", *options, "debian-demo", "cat", "/proc/self/mountinfo").splitlines()
        (line,) = (each for each in lines if each.split()[4] == "/")
        return line.partition(" - ")[2].split()[0]

    assert root("hybrid") == "overlay"
    assert root("fuse").startswith("fuse")


def test_overlay_folder_is_kept_and_moves_between_drivers(
    demo: Rootless, tmp_path: Path, id_map_options: tuple[str, ...]
) -> None:
    """--overlay keeps what is written; the other driver shows the same."""
    kept = tmp_path / "kept"

    def run(name: str, script: str) -> str:
        options = (*id_map_options, "--overlay-driver", name, "--overlay", kept)
        return demo.ok("run", *options, "debian-demo", "sh", "-c", script)

    run("hybrid", "mkdir /new && echo one > /new/one && rm /etc/motd && chmod 700 /srv")
    run(
        "fuse",
        "cat /new/one; test ! -e /etc/motd; stat -c %a /srv; echo two > /new/two; rm -r /mnt",
    )
    script = "cat /new/one /new/two; ls -d /mnt /etc/motd 2>/dev/null; stat -c %a /srv"
    assert run("hybrid", script + "; true") == "one\ntwo\n700\n"
    assert (kept / "upper" / "new" / "two").read_text() == "two\n"
    demo.ok("run", *id_map_options, "--overlay", kept, "debian-demo", "rm", "-r", "/new")


def test_overlay_folder_without_user_xattrs(demo: Rootless, tmp_path: Path) -> None:
    """The driver that can serve it is taken, what was removed stays so, and it is said."""
    (tmp_path / "mnt").mkdir()
    script = """
        mnt=$1; shift
        mount -t ramfs -o mode=0700 ramfs "$mnt"
        "$@" debian-demo sh -c "rm -r /etc/apt /bin/yes; mkdir /etc/apt; : >/etc/apt/new"
        "$@" debian-demo sh -c "ls /etc/apt /bin/yes 2>/dev/null; true" 2>/dev/null
        "$@" --overlay-driver hybrid debian-demo true
    """
    command = demo.command("run", "--overlay", tmp_path / "mnt/k")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-ec", script, "sh", tmp_path / "mnt", *command],
        env=demo.home.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "/etc/apt:\nnew\n", done.stderr
    first, last = done.stderr.splitlines()
    assert first.endswith("/mnt/k/upper keeps no extended attributes: changed files lose theirs")
    assert "kernel overlayfs cannot work there: no user xattrs" in last
    assert done.returncode == 125


def test_overlay_folder_serves_one_run_at_a_time(demo: Rootless, tmp_path: Path) -> None:
    """A second run over the same folder is refused in one line."""
    words = ("run", "-i", "--overlay", tmp_path / "kept", "debian-demo", "sh", "-c", "echo; cat")
    with demo.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = demo("run", "--overlay", tmp_path / "kept", "debian-demo", "true")
        first.communicate()
    assert second.status == 125
    assert second.stderr.startswith(
        f"rootless: another container is using this upperdir: {tmp_path}/kept "
    )
    assert second.stderr.count("\n") == 1


def test_read_only(demo: Rootless, driver: str) -> None:
    """--read-only leaves /run, /tmp, /var/tmp, /dev/shm and volumes writable, nothing else."""
    script = (
        "for d in / /etc /usr /run /tmp /var/tmp /dev/shm /v; do"
        " touch $d/x 2>/dev/null && echo $d; done; true"
    )
    volume = demo.home.path / f"volume-{driver}"
    volume.mkdir()
    options = ("--read-only", "--overlay-driver", driver, "-v", f"{volume}:/v")
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", script)
    assert out.split() == ["/run", "/tmp", "/var/tmp", "/dev/shm", "/v"]
    out = demo.ok("run", "--no-read-only-tmpfs", *options, "debian-demo", "sh", "-c", script)
    assert out.split() == ["/dev/shm", "/v"]
    os.unlink(volume / "x")


def test_read_only_still_gets_its_mount_points(demo: Rootless, driver: str) -> None:
    """A volume's and the working directory's place are made in a read-only container too."""
    options = ("--read-only", "--overlay-driver", driver, "-w", "/work/here", "--tmpfs", "/t/t")
    assert demo.ok("run", *options, "debian-demo", "sh", "-c", "pwd; ls -d /t/t") == (
        "/work/here\n/t/t\n"
    )


def test_the_root_directory_is_the_images_under_either_driver(
    rootless: Rootless, demo: Rootless, tmp_path: Path, driver: str
) -> None:
    """Mode and owner of the root directory, in a fresh upperdir, are those of the image."""
    shell = shell_image.take_shell(demo, tmp_path)
    root = images.LayerBuilder().directory("./", mode=0o751).directory("usr/bin")
    shell_image.load_image(rootless, [shell, root], name="small")
    script = "test -x / && cd / && echo ok"
    assert (
        rootless.ok("run", "--overlay-driver", driver, "small", "/bin/sh", "-c", script) == "ok\n"
    )
    kept = tmp_path / "kept"
    rootless.ok("run", "--overlay-driver", driver, "--overlay", kept, "small", "/bin/sh", "-c", ":")
    status = (kept / "upper").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o751, os.getuid())


def test_the_host_s_unified_hierarchy(demo: Rootless) -> None:
    """It comes with the host's /sys, in the host's network; the container's is put over it."""
    script = """
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        exec "$@" debian-demo sh -c 'cat /sys/fs/cgroup/cgroup.procs; cat /proc/self/mountinfo'
    """
    command = demo.command("run", "--network", "host")
    done = subprocess.run(
        ["unshare", "-rm", "--cgroup", "sh", "-ec", script, "sh", *command],
        env={**demo.home.environ, "ROOTLESS_HOLDER": "off"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    mounts = [line for line in done.stdout.splitlines() if " - cgroup2 cgroup2 " in line]
    places = [line.split()[4:6] for line in mounts]
    assert places.count(["/sys/fs/cgroup", "ro,nosuid,nodev,noexec,relatime"]) == 2
