"""Loads that are cut short: killed, interrupted, out of space, and two at once."""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

WaitUntil = Callable[[Callable[[], bool]], None]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an archive of some 30 MB, of large and small files."""
    numbers = random.Random(1)
    layers = []
    for number in range(3):
        layer = images.LayerBuilder().file(f"large{number}", numbers.randbytes(8 << 20))
        for i in range(2000):
            layer.file(f"{number}/{i}", b"x" * 100)
        layers.append(layer)
    return images.docker_archive(tmp_path_factory.mktemp("source") / "a.tar", layers)


def is_whole(rootless: Rootless, source: Path) -> None:
    """Expect a store that works, takes the image, and has no half-written file after that."""
    rootless.ok("images")
    rootless.ok("load", "-q", source)
    assert loading.temp_files(rootless.home.store) == []
    # manifest, config, and for each of 3 layers blob and index; tree
    assert len(loading.objects(rootless.home.store)) == 9
    for blob in (rootless.home.store / "blobs" / "sha256").iterdir():
        assert images.digest(blob.read_bytes()) == f"sha256:{blob.name}"


def test_killed_at_any_moment(rootless: Rootless, source: Path) -> None:
    """After kill -9, at random moments of a load, the store works and the next load succeeds."""
    began = time.monotonic()
    rootless.ok("load", "-q", source)
    whole = time.monotonic() - began
    numbers = random.Random()
    for _ in range(6):
        rootless.ok("rmi", "--all")
        process = rootless.start("load", "-q", source, stdout=subprocess.DEVNULL)
        try:
            process.wait(numbers.uniform(0.2, 1) * whole)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait(10)
        is_whole(rootless, source)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_in_the_middle_of_a_layer(
    how: signal.Signals, rootless: Rootless, source: Path, wait_until: WaitUntil
) -> None:
    """Ctrl-C gives 130 and leaves nothing; kill -9 leaves what the next command sweeps."""
    process = rootless.start(
        "load", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(source.read_bytes()[: 4 << 20])
    process.stdin.flush()
    layers = rootless.home.store / "layers" / "sha256"  # where a layer's index is being written
    wait_until(lambda: layers.exists() and bool(loading.temp_files(layers)))
    process.send_signal(how)
    out, err = process.communicate(timeout=20)
    assert (out, err) == (b"", b"")
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert loading.temp_files(rootless.home.store) == []
        assert loading.objects(rootless.home.store) == set()
    else:
        assert len(loading.temp_files(rootless.home.store / "blobs" / "sha256")) == 1
    is_whole(rootless, source)


@pytest.mark.needs_user
@pytest.mark.parametrize("room", ["size=100k", "size=3m", "size=25m", "nr_inodes=17"])
def test_a_full_disk(room: str, rootless: Rootless, source: Path) -> None:
    """Wherever the space ends, one line says so, nothing is kept, and removal works."""
    script = (
        'mkdir "$1" && mount -t tmpfs -o "$2" tmpfs "$1" && cd "$1" && '
        '"$3" load -q "$4"; echo "status $?"; find "$1" -type f ! -path "*/locks/*"; '
        '"$3" rmi --all && echo removed'
    )
    store = rootless.home.store
    words = ["unshare", "-rm", "sh", "-c", script, "sh", store, room, rootless.executable, source]
    environ = dict(rootless.home.environ)
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"rootless: no space left for the store: {store}")
    status, *files, removed = done.stdout.splitlines()
    assert (status, removed) == ("status 125", "removed")
    assert {Path(file).name for file in files} <= {"version", "oci-layout", "index.json"}


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_two_at_once(way: str, rootless: Rootless, source: Path) -> None:
    """Loads of the same image at the same time all succeed, and there is one copy."""
    files = [source.open("rb") for _ in range(3)]
    word = "-" if way == "pipe" else source
    running = [
        rootless.start("load", "-q", word, stdin=file, stdout=subprocess.PIPE) for file in files
    ]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    for file in files:
        file.close()
    assert [process.returncode for process in running] == [0, 0, 0]
    assert set(outputs) == {b"Loaded image: docker.io/library/demo:latest\n"}
    is_whole(rootless, source)
