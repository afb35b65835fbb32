"""Pushes and copies over a network that fails, and registries that lose track or refuse."""

import random
import shutil
from pathlib import Path

import images
import pytest
from executable import Home, Rootless
from fault_proxy import Fault, fault_proxy
from registries import RegistryServer

INSECURE = "--tls-verify=false"
# uploaded in two chunks and in one request; neither gets smaller by gzip
LAYERS = [
    images.LayerBuilder().file("large", random.Random(1).randbytes(17 << 20)),
    images.LayerBuilder().file("small", random.Random(2).randbytes(1 << 20)),
]


@pytest.fixture
def noisy(rootless: Rootless, tmp_path: Path) -> Rootless:
    """Give the executable with an image of 18 MB, `noisy`."""
    archive = images.docker_archive(tmp_path / "n.tar", LAYERS, names=["localhost/noisy"])
    rootless.ok("load", "-q", archive)
    return rootless


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PATCH", request_cut=5 << 20, times=2),
        Fault("PATCH", cut=-1, times=1),
        Fault("PATCH", status=404, times=1),
        Fault("PUT .*/blobs/uploads/", request_cut=100_000, times=1),
        Fault("PUT .*/blobs/uploads/", cut=-1, times=1),
        Fault("PUT .*/blobs/uploads/", status=503, headers={"retry-after": "0"}, times=2),
        Fault("POST", status=429, headers={"retry-after": "0"}, times=2),
        Fault("HEAD", status=500, times=2),
        Fault("PUT .*/manifests/", cut=-1, times=1),
    ],
    ids=lambda fault: f"{fault.match} {fault.status or ''}{fault.cut or fault.request_cut or ''}",
)
def test_push_gets_over_it(
    noisy: Rootless, plain_registry: RegistryServer, tmp_path: Path, fault: Fault
) -> None:
    """What is there in the end is whole."""
    with fault_proxy(plain_registry.host, fault) as proxy:
        name = f"{proxy.host}/faults/noisy:1"
        digest = noisy.ok("push", INSECURE, "--retry-delay=10ms", "noisy", name)
    other = Rootless(Home.make(tmp_path))
    other.ok("pull", "-q", INSECURE, f"{plain_registry.host}/faults/noisy@{digest.strip()}")
    shutil.rmtree(plain_registry.blobs.parents[1])  # so that the next push has what to send


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("PATCH", request_cut=1000), "registry"),
        (Fault("PUT .*/manifests/", status=403), "denie"),
        (Fault("POST", status=500), "registry"),
        (Fault("PUT .*/blobs/uploads/", status=400, body="bad"), "registry"),
    ],
    ids=lambda value: value.match if isinstance(value, Fault) else None,
)
def test_push_that_cannot_be_is_one_line(
    noisy: Rootless, plain_registry: RegistryServer, fault: Fault, says: str
) -> None:
    """Status 125, no name in the registry, nothing left in the store."""
    # another one, refused later, may have left there what is to be sent
    shutil.rmtree(plain_registry.blobs.parents[1], ignore_errors=True)
    with fault_proxy(plain_registry.host, fault) as proxy:
        name = f"{proxy.host}/refused/noisy:1"
        result = noisy("push", INSECURE, "--retry=1", "--retry-delay=10ms", "noisy", name)
        assert (result.status, result.stdout) == (125, "")
        assert len(result.stderr.splitlines()) == 1
        assert says in result.stderr
        proxy.set()
        assert noisy("pull", INSECURE, name).status == 125
    assert list((noisy.home.store / "scratch").iterdir()) == []


def test_copy_takes_up_what_was_cut(
    noisy: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """Reading goes on at the offset, under whatever is written; damage is found."""
    noisy.ok("push", "-q", INSECURE, "noisy", f"{plain_registry.host}/cut/noisy:1")
    blobs = "GET .*/blobs/"
    with fault_proxy(plain_registry.host, Fault(blobs, cut=700_000, times=3)) as proxy:
        source = f"docker://{proxy.host}/cut/noisy:1"
        words = ("copy", "--retry=3", "--src-tls-verify=false", source)
        noisy.ok(*words, f"oci:{tmp_path}/layout:x")
        proxy.set(Fault(blobs, flip=900_000))
        result = noisy(*words, f"oci-archive:{tmp_path}/damaged.tar")
        assert result.status == 125
        assert result.stderr.startswith("rootless: wrong digest")
    assert not (tmp_path / "damaged.tar").exists()
    other = Rootless(Home.make(tmp_path))
    other.ok("load", "-q", tmp_path / "layout")
