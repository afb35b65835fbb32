"""`rootless cp` and a hostile container: links of the container lead nowhere on the host.

The kind of CVE-2018-15664 (docker cp, a folder swapped for a link between check and use) and
CVE-2019-14271 (docker cp loading a library of the container).
"""

import os
import stat
import subprocess
import tarfile
import time
from io import BytesIO
from pathlib import Path

import pytest
from executable import Rootless

from rootless.linux.remove_tree import remove_tree

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

SWAP = """
mkdir -p /srv/real /srv/spare/d; echo inside >/srv/real/hostname
while :; do ln -sfn {target} /srv/swapped; mv -T /srv/swapped /srv/d 2>/dev/null
rm -rf /srv/d; cp -r /srv/real /srv/d; done
"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder of the host that no container has, with a file in it."""
    folder = tmp_path / "secret"
    folder.mkdir()
    (folder / "hostname").write_text("secret of the host\n")
    return folder


@pytest.fixture(params=["running", "stopped"])
def state(request: pytest.FixtureRequest) -> str:
    """Whether the container runs."""
    return str(request.param)


def make(rootless: Rootless, state: str, driver: str, script: str) -> None:
    """Make a container `c` that has done something, and goes on running or not."""
    options = ("--name", "c", "--overlay-driver", driver)
    if state == "stopped":
        rootless.ok("run", *options, "debian-demo", "sh", "-c", script)
        return
    rootless.ok("run", "-d", *options, "debian-demo", "sh", "-c", f"{script}; exec sleep 300")
    for _ in range(200):
        if "A /done" in rootless.ok("diff", "c"):
            return
        time.sleep(0.05)


def tar_of(rootless: Rootless, path: str) -> bytes:
    """Return what `cp c:PATH -` writes, whatever it says."""
    command = rootless.command("cp", f"c:{path}", "-")
    return subprocess.run(
        command, env=dict(rootless.home.environ), capture_output=True, check=False
    ).stdout


def test_links_out_of_the_container(
    demo_own: Rootless, state: str, overlay_driver: str, secret: Path, tmp_path: Path
) -> None:
    """Absolute links and links with many .. lead into the container's own root, in and out."""
    up = "../" * 20
    script = (
        f"ln -s {secret} /srv/abs; ln -s {up}{secret} /srv/rel; ln -s / /srv/top; "
        f"ln -s {secret}/hostname /srv/file; ln -s /proc/self/root/proc/1/root /srv/magic; >/done"
    )
    make(demo_own, state, overlay_driver, script)
    (tmp_path / "in").write_text("from the host")
    (tmp_path / "out").mkdir()
    for name in ("abs", "rel", "file", "magic", "abs/hostname", "rel/hostname", f"top{secret}"):
        assert demo_own("cp", f"c:/srv/{name}", tmp_path / "out").status == 125, name
        assert demo_own("cp", tmp_path / "in", f"c:/srv/{name}/x").status == 125, name
        assert b"secret of" not in tar_of(demo_own, f"/srv/{name}")
    assert demo_own("cp", tmp_path / "in", "c:/srv/file").status == 125
    assert os.listdir(tmp_path / "out") == []
    assert (secret / "hostname").read_text() == "secret of the host\n"
    assert os.listdir(secret) == ["hostname"]
    # what the container has at that path is what such a link leads to
    script = f"mkdir -p {secret}; echo mine >{secret}/hostname"
    if state == "stopped":
        demo_own.ok("run", "--name", "c", "debian-demo", "sh", "-c", script)
        demo_own.ok("cp", "c:/srv/abs/hostname", tmp_path / "out")
        assert (tmp_path / "out" / "hostname").read_text() == "mine\n"


def test_links_below_a_folder_are_copied_as_links(
    demo_own: Rootless, state: str, secret: Path, tmp_path: Path
) -> None:
    """What is copied out holds the link; what it leads to is not read."""
    make(demo_own, state, "auto", f"mkdir /srv/d; ln -s {secret} /srv/d/l; >/done")
    demo_own.ok("cp", "c:/srv/d", tmp_path / "copy")
    assert os.readlink(tmp_path / "copy" / "l") == str(secret)
    (tmp_path / "d" / "l").mkdir(parents=True)
    (tmp_path / "d" / "l" / "hostname").write_text("overwritten")
    assert "in the place of a folder" in demo_own("cp", f"{tmp_path}/d/.", "c:/srv/d").stderr
    assert (secret / "hostname").read_text() == "secret of the host\n"


def test_a_copy_onto_links_of_the_host(demo_own: Rootless, secret: Path, tmp_path: Path) -> None:
    """A link in the destination on the host is not followed for what a container has below it."""
    make(demo_own, "stopped", "auto", "mkdir -p /srv/d/l; echo evil >/srv/d/l/hostname")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "l").symlink_to(secret)
    assert demo_own("cp", "c:/srv/d/.", tmp_path / "d").status == 125
    assert (secret / "hostname").read_text() == "secret of the host\n"


@pytest.mark.slow
def test_a_folder_that_is_swapped_for_a_link(
    demo_own: Rootless, overlay_driver: str, secret: Path, tmp_path: Path
) -> None:
    """While the container swaps a folder and a link all the time, nothing leads out, either way."""
    script = SWAP.format(target=secret)
    options = ("-d", "--name", "c", "--overlay-driver", overlay_driver)
    demo_own.ok("run", *options, "debian-demo", "sh", "-c", script)
    (tmp_path / "hostname").write_text("from the host\n")
    deadline = time.monotonic() + 8
    contents = set()
    while time.monotonic() < deadline:
        tar = tar_of(demo_own, "/srv/d/hostname")
        if len(tar) > 512:
            with tarfile.open(fileobj=BytesIO(tar)) as archive:
                contents.add(archive.extractfile("hostname").read())  # type: ignore[union-attr]
        assert b"secret of" not in tar_of(demo_own, "/srv/.")
        demo_own("cp", tmp_path / "hostname", "c:/srv/d/hostname")
        demo_own("cp", tmp_path / "hostname", "c:/srv/d/new")
        assert os.listdir(secret) == ["hostname"]
    assert (secret / "hostname").read_text() == "secret of the host\n"
    assert contents <= {b"inside\n", b"from the host\n", b""}


def test_nothing_of_the_container_is_loaded(demo_own: Rootless, tmp_path: Path) -> None:
    """Programs and libraries of the container that copying could use are not: it works without."""
    script = """
for f in /usr/bin/tar /lib/x86_64-linux-gnu/libnss_files.so.2 /etc/ld.so.preload; do
  echo /srv/evil.so >$f; done
rm -rf /usr/lib/python3*; mkdir -p /usr/lib/python3.11
echo 'open("/ran", "w")' >/usr/lib/python3.11/tarfile.py
exec 3</usr/bin/sleep; rm -f /lib/x86_64-linux-gnu/libc.so.6; read x </dev/zero
"""
    demo_own.ok("run", "-d", "--name", "c", "debian-demo", "sh", "-c", script)
    for _ in range(200):
        if "D /usr/lib/x86_64-linux-gnu/libc.so.6" in demo_own.ok("diff", "c"):
            break
        time.sleep(0.05)
    (tmp_path / "f").write_text("text")
    demo_own.ok("cp", tmp_path / "f", "c:/srv")
    demo_own.ok("cp", "c:/srv/f", tmp_path / "g")
    assert (tmp_path / "g").read_text() == "text"
    assert "A /ran" not in demo_own.ok("diff", "c").splitlines()


DEEP = "cd /srv; for i in $(seq 1500); do mkdir dddd; cd -P dddd 2>/dev/null || cd dddd; done"


def test_folders_deeper_than_any_path(demo_own: Rootless, tmp_path: Path) -> None:
    """A copy and a commit of them are one line, and removal takes them, a passing run's too."""
    demo_own.ok("run", "--name", "c", "debian-demo", "sh", "-c", DEEP)
    for words in (("cp", "c:/srv", tmp_path / "deep"), ("commit", "c", "deep"), ("diff", "c")):
        said = demo_own(*words)
        assert said.status == 125
        assert "name too long" in said.stderr.lower()
        assert said.stderr.count("\n") == 1
    demo_own.ok("rm", "c")
    demo_own.ok("run", "debian-demo", "sh", "-c", DEEP)
    assert os.listdir(demo_own.home.store / "scratch") == []
    remove_tree(tmp_path)  # pytest cannot
    tmp_path.mkdir()


def test_a_fifo_does_not_block(demo_own: Rootless, tmp_path: Path) -> None:
    """It is copied as one."""
    demo_own.ok("run", "--name", "c", "debian-demo", "mkfifo", "/srv/p")
    demo_own.ok("cp", "c:/srv", tmp_path / "copy", timeout=20)
    assert stat.S_ISFIFO((tmp_path / "copy" / "p").stat().st_mode)
