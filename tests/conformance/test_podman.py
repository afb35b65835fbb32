"""podman with `rootless-overlay` as its mount program does what it does with fuse-overlayfs.

podman runs as an ordinary user, the owner of the demo image. As root these tests make what its
crun needs on hosts with both layouts of cgroups: a mount namespace without the second one. A fresh
run-time folder keeps podman from joining the pause process of an earlier one.
"""

import difflib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import leaks
import pytest

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_root, pytest.mark.slow]

OURS = str(Path(sys.prefix, "bin", "rootless-overlay"))
RUNUSER = "/usr/sbin/runuser"
THEIRS = "/usr/bin/fuse-overlayfs"
UNIFIED = "/sys/fs/cgroup/unified"

CHANGE = """
set -e
echo changed > /etc/debian_version
rm -r /etc/apt /usr/share/doc
mkdir -m 1777 /made
echo contents > /made/file
chown 7:8 /made/file
chmod 4750 /made/file
ln /made/file /made/again
ln -s file /made/link
mkfifo /made/fifo
mv /etc/hostname /etc/renamed 2>/dev/null || true
rm -r /opt; mkdir /opt; touch /opt/new
"""
SHOWN = """
find /etc /made /opt /usr/share -xdev -type d -printf '%p %y %m %U:%G\\n' \
    -o -printf '%p %y %m %U:%G %s %n %l\\n' | sort
cat /made/file /etc/debian_version
"""
CONTAINERFILE = """
FROM original
RUN echo built > /built && chmod 600 /built && rm /etc/debian_version
COPY copied /etc/copied
RUN cat /etc/copied /built > /both && test ! -e /etc/debian_version
"""


@dataclass(frozen=True, slots=True)
class Podman:
    """podman of an ordinary user, with a store of its own in a folder."""

    folder: Path
    user: pwd.struct_passwd
    program: str

    def __call__(self, *words: str, stdin: str = "") -> str:
        """Run podman, expect status 0, return what it printed."""
        done = self.run(
            "podman",
            *("--root", str(self.folder / "root"), "--runroot", str(self.folder / "runroot")),
            *("--cgroup-manager=cgroupfs", "--events-backend=none", "--storage-driver=overlay"),
            *("--storage-opt", f"overlay.mount_program={self.program}", *words),
            stdin=stdin,
        )
        assert done.returncode == 0, f"{words}: status {done.returncode}\n{done.stderr}"
        return done.stdout

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a program as the user, in a mount namespace with one layout of cgroups."""
        script = f'if mountpoint -q {UNIFIED}; then umount {UNIFIED}; fi; exec "$@"'
        inside = ["unshare", "-m", "sh", "-c", script, "sh", RUNUSER, "-u", self.user.pw_name]
        environ = {
            "HOME": str(self.folder / "home"),
            "USER": self.user.pw_name,
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "TMPDIR": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            leaks.SESSION_VARIABLE: os.environ[leaks.SESSION_VARIABLE],
        }
        return subprocess.run(
            [*inside, "--", *words],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env=environ,
            cwd=self.folder,
            timeout=120,
            check=False,
        )

    def close(self) -> None:
        """Remove the store, whose files are sub-IDs' ones, and stop podman's pause process."""
        self.run(
            "podman",
            "unshare",
            "rm",
            "-rf",
            *(str(p) for p in self.folder.iterdir() if p.name in ("root", "runroot")),
        )
        for file in self.folder.glob("run/libpod/tmp/pause.pid"):
            os.kill(int(file.read_text()), 9)
        shutil.rmtree(self.folder)


@pytest.fixture
def podman(demo_image: str) -> Iterator[Podman]:
    """Podman over the mount program under test, its store fresh."""
    made = make(demo_image, OURS)
    yield made
    made.close()


@pytest.fixture
def judge(demo_image: str) -> Iterator[Podman]:
    """The same over fuse-overlayfs."""
    made = make(demo_image, THEIRS)
    yield made
    made.close()


def make(demo_image: str, program: str) -> Podman:
    """Make folders that the demo image's owner can use; pytest's own are root's alone."""
    user = pwd.getpwuid(Path(demo_image.rpartition(":")[0]).stat().st_uid)
    script = 'cd "$(mktemp -d /var/tmp/podman.XXXXXX)" && mkdir -m 700 home tmp run && pwd'
    made = subprocess.run(
        [RUNUSER, "-u", user.pw_name, "--", "sh", "-c", script],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return Podman(Path(made.stdout.strip()), user, program)


def story(podman: Podman, demo_image: str) -> dict[str, list[str]]:
    """Pull, run, diff, commit, build; return what all of that showed."""
    podman("pull", "-q", f"oci:{demo_image}")
    image = podman("images", "-q", "--no-trunc").split()[0]
    podman("tag", image, "original")
    plain = ["--network=host", "--cgroups=disabled"]
    said = podman("run", *plain, "--name=one", "original", "sh", "-c", CHANGE + SHOWN)
    changed = sorted(podman("diff", "one").splitlines())
    podman("commit", "-q", "one", "second")
    again = podman("run", *plain, "--rm", "second", "sh", "-c", SHOWN)
    context = podman.folder / "home"
    (context / "copied").write_text("copied\n")
    (context / "Containerfile").write_text(CONTAINERFILE)
    podman("build", "-q", "--network=host", "--isolation=chroot", "-t", "built", str(context))
    built = podman("run", *plain, "--rm", "built", "sh", "-c", "cat /both; stat -c %a /built")
    podman("rm", "-a", "-f")
    assert [pid for pid in os.listdir("/proc") if pid.isdigit() and serves(pid, podman)] == []
    return {
        "said": said.splitlines(),
        "changed": changed,
        "again": again.splitlines(),
        "built": built.splitlines(),
    }


def test_a_story(podman: Podman, judge: Podman, demo_image: str) -> None:
    """Contents, diffs, commits and builds equal those over fuse-overlayfs."""
    found = story(podman, demo_image)
    expected = story(judge, demo_image)
    assert found["built"] == ["copied", "built", "600"]
    assert "A /made/again" in found["changed"]
    for step in expected:
        lines = difflib.unified_diff(expected[step], found[step], THEIRS, OURS, lineterm="", n=0)
        assert list(lines) == [], step


def serves(pid: str, podman: Podman) -> bool:
    """Tell whether a process is a server for a mount of this podman's."""
    try:
        words = Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return False
    program = b"fuse.server" if podman.program == OURS else b"fuse-overlayfs"
    return program in words and str(podman.folder).encode() in words
