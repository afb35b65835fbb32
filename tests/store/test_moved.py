"""A store that is somewhere else than it was, and one that cannot be written to."""

import subprocess
from pathlib import Path

import loading
import pytest
from executable import Home, Rootless


def at(rootless: Rootless, store: Path) -> Rootless:
    """Return the same user with another store."""
    home = rootless.home
    return Rootless(Home(home.path, {**home.environ, "ROOTLESS_HOME": str(store)}))


def test_moved(demo_own: Rootless) -> None:
    """After mv, images and containers with all that they wrote are there; nothing is made again."""
    demo_own.ok("run", "--name", "a", "debian-demo", "sh", "-c", "echo a > /a; rm /etc/motd")
    demo_own.ok("run", "-d", "--name", "b", "debian-demo", "sh", "-c", "echo b > /b; sleep 1000")
    demo_own.ok("stop", "-t", "0", "b")
    old = demo_own.home.store
    store = demo_own.home.path / "somewhere else"
    old.rename(store)
    moved = at(demo_own, store)
    assert moved.ok("ps", "-aq").count("\n") == 2
    moved.ok("start", "b")
    assert moved.ok("exec", "b", "cat", "/b") == "b\n"
    moved.ok("stop", "-t", "0", "b")
    assert moved.ok("run", "--name", "a", "debian-demo", "cat", "/a") == "a\n"
    assert "A /a\n" in moved.ok("diff", "a")
    moved.ok("cp", "a:/a", demo_own.home.path / "copy")
    assert (demo_own.home.path / "copy").read_text() == "a\n"
    moved.ok("commit", "a", "c")
    assert moved.ok("run", "c", "cat", "/a") == "a\n"
    assert moved.ok("store", "verify").endswith("all is well\n")
    moved.ok("rm", "a", "b")
    moved.ok("rmi", "c")
    assert not old.exists()
    store.rename(old)


@pytest.mark.needs_user
def test_read_only(demo_own: Rootless, tmp_path: Path) -> None:
    """What needs no write to it works, with what a run writes elsewhere; the rest is one line."""
    store = demo_own.home.store
    trees = list((store / "trees").iterdir())
    for tree in trees:
        tree.unlink()
    loading.protect(store, 0o555)
    environ = {"ROOTLESS_SCRATCH": str(tmp_path / "scratch")}
    try:
        for name in ("images", "inspect debian-demo", "ps -a", "store verify", "system df"):
            demo_own.ok(*name.split(), env=environ)
        script = "echo written > /f; cat /f"
        for env in (environ, {}):
            assert demo_own.ok("run", "debian-demo", "sh", "-c", script, env=env) == "written\n"
        built = list((demo_own.home.runtime / "trees").iterdir())
        assert {tree.name for tree in built} <= {tree.name for tree in trees}
        for words in (
            ("tag", "debian-demo", "x"),
            ("rmi", "debian-demo"),
            ("run", "--name", "x", "debian-demo", "true"),
            ("create", "debian-demo"),
            ("load", tmp_path),
            ("store", "gc"),
            ("store", "verify", "--repair"),
        ):
            result = demo_own(*words, env=environ)
            assert result.status == 125, words
            assert result.stderr.count("\n") == 1, result.stderr
            assert "no permission: " in result.stderr
            assert "ROOTLESS_HOME" in result.stderr
    finally:
        loading.protect(store, 0o755)


@pytest.mark.needs_user
def test_a_read_only_mount(demo_own: Rootless) -> None:
    """On a file system that is mounted read-only the kernel's word is another: the same holds."""
    script = (
        'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && '
        '"$2" images -q && "$2" store verify -q && echo well && "$2" tag debian-demo x'
    )
    store = demo_own.home.store
    words = ["unshare", "-rm", "sh", "-c", script, "sh", store, demo_own.executable]
    environ = dict(demo_own.home.environ)
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert done.stdout.splitlines()[-1] == "well"
    assert done.stderr.count("\n") == 1
    assert "the store is read-only" in done.stderr
