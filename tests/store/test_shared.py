"""A store that many share: what is in it runs, and nothing is ever written or locked in it."""

import json
import re
import subprocess
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

# All that might change something, or take a lock; `openat` is looked at for its flags.
_CHANGES = (
    "creat|mkdir|mkdirat|mknod|mknodat|unlink|unlinkat|rmdir|rename|renameat|renameat2|link|linkat"
    "|symlink|symlinkat|truncate|ftruncate|fallocate|chmod|fchmod|fchmodat|chown|fchown|lchown"
    "|fchownat|utimensat|setxattr|fsetxattr|lsetxattr|write|pwrite64|writev|pwritev|flock"
    "|copy_file_range|fsync|fdatasync|sync_file_range"
)
_TRACED = f"open,openat,openat2,fcntl,{_CHANGES.replace('|', ',')}"


def calls_on(folder: Path, trace: str) -> list[str]:
    """Return the system calls of a trace that name a file of a folder, or are made on one."""
    # argument strings that merely contain the path, as of execve, are none of these calls
    return [line for line in trace.splitlines() if str(folder) in line.partition(") = ")[0]]


@pytest.mark.parametrize(
    "words",
    [
        ("images",),
        ("inspect", "debian-demo"),
        ("run", "--userns", "single", "debian-demo", "sh", "-c", "echo x > /x; cat /etc/passwd"),
        ("run", "--name", "n", "--userns", "single", "debian-demo", "true"),
        ("tag", "debian-demo", "mine"),
        ("store", "gc"),
        ("system", "df"),
    ],
    ids=lambda words: words[0] if len(words) < 8 else "run and write",
)
def test_nothing_is_written_or_locked(words: tuple[str, ...], user: Rootless, shared: Path) -> None:
    """No process of a command opens a file there for writing, takes a lock, or tries to change one.

    With one ID: the helpers for more are set-user-ID, which a traced program is not.
    """
    before = loading.listing(shared)
    trace = user.home.path / "trace"
    command = ["strace", "-f", "-y", "-s", "4096", "-o", trace, "-e", f"trace={_TRACED}"]
    done = subprocess.run(
        [*command, *user.command(*words)],
        env=dict(user.home.environ),
        cwd=user.home.path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    calls = calls_on(shared, trace.read_text(errors="replace"))
    assert any("openat(" in call and "O_RDONLY" in call for call in calls)
    changing = re.compile(rf"^\d+ +(?:{_CHANGES})\(\d*<?[^,]*{re.escape(str(shared))}")
    assert [call for call in calls if changing.search(call)] == []
    flags = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)|F_(?:OFD_)?SETLK")
    assert [call for call in calls if flags.search(call)] == []
    assert loading.listing(shared) == before


def test_everything_works_beside_it(user: Rootless, shared: Path, tmp_path: Path) -> None:
    """Images there are listed with their store, run, mounted, bundled, named, committed upon."""
    table = user.ok("images").splitlines()
    assert table[0].endswith("STORE")
    assert table[1].startswith("localhost/debian-demo")
    assert table[1].endswith(str(shared))
    (image,) = json.loads(user.ok("images", "--format", "json"))
    assert (image["Store"], image["ReadOnly"]) == (str(shared), True)
    assert not user.home.store.exists()
    assert user.ok("run", "debian-demo", "echo", "here") == "here\n"
    assert user.ok("run", image["Id"][:12], "echo", "by ID") == "by ID\n"
    (tmp_path / "m").mkdir()
    user.ok("mount", "debian-demo", tmp_path / "m")
    assert (tmp_path / "m" / "etc" / "debian_version").exists()
    user.ok("umount", tmp_path / "m")
    user.ok("bundle", "create", "debian-demo", tmp_path / "b", "echo", "bundled")
    assert user.ok("run", "--bundle", tmp_path / "b") == "bundled\n"
    user.ok("run", "--name", "c", "debian-demo", "touch", "/new")
    user.ok("commit", "c", "mine:1")
    assert user.ok("run", "mine:1", "ls", "/new") == "/new\n"
    user.ok("tag", "debian-demo", "mine:2")
    listed = user.ok("images").splitlines()
    assert [line.split()[1] for line in listed[1:] if line.endswith(str(user.home.store))] == [
        "1",
        "2",
    ]
    assert len(list((user.home.store / "layers" / "sha256").iterdir())) == 1  # what was committed
    result = user("rmi", "debian-demo")
    assert result.status == 125
    assert "the image is in an additional store" in result.stderr
    assert user.ok("store", "verify").endswith("all is well\n")


def test_how_it_is_named(user: Rootless, shared: Path, tmp_path: Path) -> None:
    """By an option, which starts may be given again, by a variable, or by the user's settings."""
    plain = {"ROOTLESS_ADDITIONAL_STORES": ""}
    assert user.ok("images", env=plain).count("\n") == 1
    option = f"ro:{shared}"
    assert user.ok("--store", option, "images", "-q", env=plain) == user.ok("images", "-q")
    assert user.ok("--store", option, "run", "debian-demo", "echo", "x", env=plain) == "x\n"
    settings = Path(user.home.environ["HOME"]) / ".config" / "rootless" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'additional_stores = ["{tmp_path}/away", "{shared}"]\n')
    environ = dict(user.home.environ)
    del environ["ROOTLESS_ADDITIONAL_STORES"]
    done = subprocess.run(
        user.command("images", "-q"), env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == user.ok("images", "-q")
    assert done.stderr == f"no store at {tmp_path}/away, which is to be an additional one\n"
    settings.write_text("additional_stores = [1]\n")
    done = subprocess.run(
        user.command("images"), env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 125
    assert f"{settings}: additional_stores[0]" in done.stderr
    for wrong in (str(shared), "ro:", f"ro:{tmp_path}"):
        result = user("--store", wrong, "images")
        assert result.status == 125
        assert result.stderr.count("\n") == 1


def test_a_container_outlives_a_new_version(user: Rootless, shared: Path) -> None:
    """It keeps its image while that is anywhere, in another folder too; then one line says so."""
    user.ok("run", "-d", "--name", "c", "debian-demo", "sh", "-c", "echo kept > /f; sleep 1000")
    user.ok("stop", "-t", "0", "c")
    other = shared.with_name("new")
    shared.rename(other)
    gone = user("start", "c")
    assert gone.status == 125
    assert gone.stderr.count("\n") == 2  # the store, then the image
    assert "the container's image has gone: localhost/debian-demo:latest: c" in gone.stderr
    environ = {"ROOTLESS_ADDITIONAL_STORES": str(other)}
    user.ok("start", "c", env=environ)
    assert user.ok("exec", "c", "cat", "/f") == "kept\n"
    user.ok("stop", "-t", "0", "c")
    assert user.ok("diff", "c", env=environ) == "A /f\n"
    other.rename(shared)
    user.ok("rm", "c")


def test_a_damaged_image_there(user: Rootless, shared: Path, tmp_path: Path) -> None:
    """It is told of, and one's own images are listed and run all the same."""
    images.oci_layout(tmp_path / "own", [images.small_layer()], tag="own")
    user.ok("load", "-q", tmp_path / "own")
    (image,) = json.loads(user.ok("inspect", "--type", "image", "debian-demo"))
    config = shared / "blobs" / "sha256" / image["Id"]
    config.parent.chmod(0o755)
    config.unlink()
    result = user("images")
    assert result.status == 0
    assert "localhost/own" in result.stdout
    assert result.stderr.startswith(f"rootless: {shared}: blob missing from the store")
    assert user("run", "debian-demo", "true").status == 125
