"""Pulls that are cut short by force, out of space, beside removals, and fifty at once."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import loading
import pulling
import pytest
from executable import Rootless
from registries import RegistryServer

LAYERS = pulling.noise(4, 3 << 20)

# As the command line does it, but for the start of fifty interpreters.
_AT_ONCE = """
import os, sys
from rootless.cli.app import run
import rootless.cli.fetch, rootless.cli.pull, rootless.cli.transfers, rootless.transfer.pull
children = []
for _ in range(int(sys.argv[1])):
    pid = os.fork()
    if not pid:
        status = run(["pull", "-q", sys.argv[2]])
        sys.stdout.flush()
        os._exit(status)
    children.append(pid)
print(*(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))
"""


@pytest.fixture(scope="module")
def filled(
    plain_registry: RegistryServer, tmp_path_factory: pytest.TempPathFactory
) -> RegistryServer:
    """A registry with an image of four layers of 3 MiB, `app:1`."""
    pulling.put(plain_registry, "app:1", LAYERS, tmp_path_factory.mktemp("source"))
    return plain_registry


@pytest.fixture
def name(rootless: Rootless, filled: RegistryServer) -> str:
    """Its name; the user trusts the registry."""
    pulling.trust(rootless.home, filled.host)
    return f"{filled.host}/app:1"


def test_killed_at_any_moment(rootless: Rootless, name: str) -> None:
    """After kill -9 the store is undamaged, and the next pull goes on, fifteen times in one store.

    ROOTLESS_KILLS says how often, by hand.
    """
    began = time.monotonic()
    rootless.ok("pull", "-q", name)
    whole = time.monotonic() - began
    numbers = random.Random()
    for _ in range(int(os.environ.get("ROOTLESS_KILLS", "15"))):
        rootless.ok("rmi", "--all")
        process = rootless.start("pull", "-q", name, stdout=subprocess.DEVNULL)
        try:
            process.wait(numbers.uniform(0.4, 1) * whole)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait(10)
        left = pulling.damage_in(rootless.home.store)
        assert [text for text in left if "/.tmp-" not in f"/{text}"] == []
        pulling.is_whole(rootless, name)


def test_fifty_at_once(rootless: Rootless, name: str, filled: RegistryServer) -> None:
    """Fifty processes that pull the same image all succeed, and it is downloaded once."""
    since = len(filled.access_log())
    done = subprocess.run(
        [sys.executable, "-P", "-c", _AT_ONCE, "50", name],
        env=dict(rootless.home.environ),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    *ids, statuses = done.stdout.splitlines()
    assert statuses.split() == ["0"] * 50, done.stderr
    assert len(ids) == 50
    assert len(set(ids)) == 1
    fetched = [line.split()[1] for line in filled.access_log()[since:] if line.startswith("GET")]
    blobs = [path for path in fetched if "/blobs/" in path or "/manifests/" in path]
    assert len(blobs) == len(set(blobs)) == len(LAYERS) + 2
    pulling.is_whole(rootless, name)


@pytest.mark.needs_user
@pytest.mark.parametrize(
    ("megabytes", "inodes"), [(1, 900), (8, 900), (13, 900), (90, 18)], ids=str
)
def test_a_full_disk(rootless: Rootless, name: str, megabytes: int, inodes: int) -> None:
    """Wherever the space ends one line says so; the download stays, and goes on with more room."""
    script = (
        'mkdir "$1" && mount -t tmpfs -o size=100m,nr_inodes=1000 tmpfs "$1" && cd "$1" && '
        "mkdir .fill && head -c $((100 - $2))M /dev/zero > .fill/0 && "
        "(cd .fill && seq $((998 - $3)) | xargs touch) && "
        '"$4" pull -q "$5"; echo "status $?"; '
        'find "$1" -name ".tmp-*"; '
        "rm -r .fill; "
        '"$4" pull -q "$5"; echo "status $?"; '
        'find "$1/partial" -type f; "$4" images -q | wc -l'
    )
    store = rootless.home.store
    words = [store, str(megabytes), str(inodes), rootless.executable, name]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *words],
        env=dict(rootless.home.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"rootless: no space left for the store: {store}")
    first, image_id, second, count = done.stdout.splitlines()
    assert (first, second, count.strip()) == ("status 125", "status 0", "1")
    assert len(image_id) == 64


@pytest.mark.needs_user
def test_a_home_that_cannot_be_written(rootless: Rootless, name: str) -> None:
    """A read-only home is one line before anything is downloaded; what is there still runs."""
    rootless.ok("pull", "-q", name)
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
    folder = rootless.home.store
    words = ["unshare", "-rm", "sh", "-c", script, "sh", folder, *rootless.command("pull", name)]
    done = subprocess.run(
        words, env=dict(rootless.home.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 125
    assert done.stderr.count("\n") == 1, done.stderr
    assert "the store is read-only" in done.stderr
    assert rootless.ok("images", "-q").strip()


def test_a_removal_beside_it(rootless: Rootless, name: str, tmp_path: Path) -> None:
    """A pull and removals at the same time: what is pulled is whole."""
    del tmp_path
    for _ in range(2):
        process = rootless.start("pull", "-q", name, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            rootless("rmi", "--all")
        assert process.returncode == 0
        assert loading.temp_files(rootless.home.store) == []
        pulling.is_whole(rootless, name)
