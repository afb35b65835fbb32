"""Pulls over a network that fails: cut, stalled, damaged, and a registry that is overrun.

Whatever happens, the store is undamaged, what came is kept, and what was wrong is one line.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import images
import loading
import pulling
import pytest
from executable import Rootless
from fault_proxy import Fault, FaultProxy, fault_proxy
from registries import RegistryServer

LAYERS = pulling.noise(3, 1 << 20)
BLOBS = "GET .*/blobs/"
# a layer's, not the config's
LARGE = (
    "GET .*/blobs/sha256:"
    + (images.digest(images.COMPRESSORS["gzip"](images.layer_tar(LAYERS[0])))[7:])
)
WaitUntil = Callable[[Callable[[], bool]], None]


@pytest.fixture(scope="module")
def filled(
    plain_registry: RegistryServer, tmp_path_factory: pytest.TempPathFactory
) -> RegistryServer:
    """A registry with an image of three layers of 1 MiB, `app:1`."""
    pulling.put(plain_registry, "app:1", LAYERS, tmp_path_factory.mktemp("source"))
    return plain_registry


@pytest.fixture
def proxy(rootless: Rootless, filled: RegistryServer) -> Iterator[FaultProxy]:
    """The proxy before it, which the user trusts."""
    with fault_proxy(filled.host) as running:
        pulling.trust(rootless.home, running.host)
        yield running


def partial_bytes(rootless: Rootless) -> int:
    """Return how much of downloads that are not complete is kept."""
    folder = rootless.home.store / "partial"
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.exists() else 0


def sent(proxy: FaultProxy) -> list[str]:
    """Return the ranges that layers were asked for by: "" for a whole one."""
    return [
        request["headers"].get("range", "")
        for request in proxy.log()
        if request["method"] == "GET" and "/blobs/" in request["path"]
    ]


SURVIVED = {
    "cut connections": (Fault(BLOBS, cut=300_000, times=4),),
    "cut before the answer": (Fault(BLOBS, cut=-1, times=3),),
    "no ranges": (Fault(LARGE, cut=300_000, times=1), Fault(BLOBS, without=("Range",))),
    "429": (Fault("GET|HEAD", status=429, headers={"Retry-After": "0"}, times=3),),
    "503": (Fault(BLOBS, status=503, times=3),),
    "a slow body": (Fault(LARGE, rate=600_000),),
    "a stalled body": (Fault(LARGE, stall=1, stall_at=500_000, times=1),),
}


@pytest.mark.parametrize("faults", SURVIVED.values(), ids=SURVIVED)
def test_what_is_survived(rootless: Rootless, proxy: FaultProxy, faults: tuple[Fault, ...]) -> None:
    """One pull gets past what passes by itself, without a word."""
    proxy.set(*faults)
    result = rootless("pull", "--retry-delay=50ms", f"{proxy.host}/app:1")
    assert (result.status, result.stderr) == (0, "")
    pulling.is_whole(rootless, f"{proxy.host}/app:1")


FATAL = {
    "flipped byte": (Fault(LARGE, flip=500_000), "wrong digest"),
    "flipped first byte": (Fault(LARGE, flip=0), "wrong digest"),
    "longer": (Fault(LARGE, longer=7), "bytes, not"),
    "shorter": (Fault(LARGE, longer=-7), "bytes, not"),
    "config": (Fault("GET .*/blobs/(?!{layers})", flip=5), "digest"),
    "manifest": (Fault("GET .*/manifests/sha256", flip=30), "digest"),
    "always cut": (Fault(LARGE, cut=1000), "connection to the registry was cut"),
    "always 503": (Fault(BLOBS, status=503), "503"),
    "wrong type": (Fault("GET .*/manifests/", status=200, body="[]"), "manifest"),
}


@pytest.mark.parametrize(("fault", "says"), FATAL.values(), ids=FATAL)
def test_what_is_not(rootless: Rootless, proxy: FaultProxy, fault: Fault, says: str) -> None:
    """Damage, and a registry that never recovers, end in one line; the next pull works."""
    hexes = "|".join(
        images.digest(images.COMPRESSORS["gzip"](images.layer_tar(layer)))[7:] for layer in LAYERS
    )
    match = fault.match.replace("{layers}", f"sha256:({hexes})")
    proxy.set(Fault(match, **{name: getattr(fault, name) for name in _FIELDS}))
    words = ("pull", "--retry=2", "--retry-delay=10ms", f"{proxy.host}/app:1")
    pulling.one_line(rootless, *words, says=says)
    assert loading.temp_files(rootless.home.store) == []
    assert rootless.ok("images", "-q") == ""
    proxy.set()
    pulling.is_whole(rootless, f"{proxy.host}/app:1")


_FIELDS = ("flip", "longer", "cut", "status", "body")


def test_what_came_is_gone_on_with(rootless: Rootless, proxy: FaultProxy) -> None:
    """After a failure nothing is fetched twice: not verified layers, not the beginning of one."""
    proxy.set(Fault(LARGE, cut=700_000))
    words = ("pull", "--retry=0", "--layers-at-once=3", f"{proxy.host}/app:1")
    pulling.one_line(rootless, *words, says="connection to the registry was cut")
    kept = partial_bytes(rootless)
    assert kept > 0
    assert rootless.ok("images", "-q") == ""
    before = len(sent(proxy))
    proxy.set()
    rootless.ok("pull", f"{proxy.host}/app:1")
    ranges = sent(proxy)[before:]
    assert all(text.startswith("bytes=") for text in ranges if text)
    assert any(text.startswith("bytes=") for text in ranges)
    pulling.is_whole(rootless, f"{proxy.host}/app:1")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_in_the_middle(
    rootless: Rootless, proxy: FaultProxy, how: signal.Signals, wait_until: WaitUntil
) -> None:
    """Ctrl-C ends at once, quietly, with the download kept; kill -9 leaves what is swept."""
    proxy.set(Fault(LARGE, stall=30, stall_at=600_000))
    process = rootless.start(*("pull", f"{proxy.host}/app:1"), stdout=-1, stderr=-1)
    wait_until(lambda: partial_bytes(rootless) >= 500_000)
    process.send_signal(how)
    began = time.monotonic()
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert (out, err) == (b"", b"")
    assert process.returncode == (130 if how == signal.SIGINT else -how)
    assert partial_bytes(rootless) >= 500_000
    if how == signal.SIGINT:
        assert loading.temp_files(rootless.home.store) == []
    proxy.set()
    before = len(sent(proxy))
    pulling.is_whole(rootless, f"{proxy.host}/app:1")
    assert any(text.startswith("bytes=") for text in sent(proxy)[before:])


def test_another_pull_has_it(rootless: Rootless, proxy: FaultProxy, wait_until: WaitUntil) -> None:
    """Who waits for another pull says how far that is, and goes on himself when it is killed."""
    proxy.set(Fault(LARGE, stall=60, stall_at=600_000, times=1))
    name = f"{proxy.host}/app:1"
    first = rootless.start("pull", "-q", name, stdout=-1)
    wait_until(lambda: partial_bytes(rootless) >= 500_000)
    second = rootless.start("pull", "--progress=plain", name, stdout=-1, stderr=-1)
    assert second.stderr is not None
    os.set_blocking(second.stderr.fileno(), True)
    line = second.stderr.readline()
    while b"waiting" not in line:
        assert line, "it does not wait"
        line = second.stderr.readline()
    assert b"waiting, " in line
    assert b" of 1.05 MB" in line
    first.kill()
    first.communicate(timeout=10)
    out, err = second.communicate(timeout=30)
    assert second.returncode == 0, err
    assert len(out.split()) == 1
    assert any(text.startswith("bytes=") for text in sent(proxy))
    pulling.is_whole(rootless, name)


def test_a_damaged_download(rootless: Rootless, proxy: FaultProxy) -> None:
    """A kept download that turns out damaged is fetched afresh, without a word."""
    proxy.set(Fault(LARGE, cut=700_000))
    words = ("pull", "--retry=0", f"{proxy.host}/app:1")
    pulling.one_line(rootless, *words, says="cut")
    for path in (rootless.home.store / "partial").iterdir():
        with path.open("r+b") as file:
            file.seek(5000)
            file.write(bytes(10_000))
    proxy.set()
    result = rootless("pull", f"{proxy.host}/app:1")
    assert (result.status, result.stderr) == (0, "")
    pulling.is_whole(rootless, f"{proxy.host}/app:1")


def test_old_downloads_can_be_swept(rootless: Rootless, proxy: FaultProxy, tmp_path: Path) -> None:
    """What nobody goes on with for a week is not kept for ever."""
    del tmp_path
    proxy.set(Fault(LARGE, cut=700_000))
    rootless("pull", "--retry=0", f"{proxy.host}/app:1")
    assert partial_bytes(rootless) > 0
    for path in (rootless.home.store / "partial").iterdir():
        os.utime(path, (1, 1))
    layout = images.oci_layout(rootless.home.path / "l", [images.small_layer()], tag="x")
    rootless.ok("load", "-q", layout)
    rootless.ok("rmi", "--all")
    assert partial_bytes(rootless) == 0
