"""A registry behind a network that fails: what is taken up again, and what ends in an error."""

import hashlib
import io
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import trio
from asking import QUICK, asked, settings_for
from fault_proxy import Fault, FaultProxy, fault_proxy
from registries import RegistryServer

from rootless.errors import IntegrityError, InvalidInput, NotFound, RegistryError
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import sha256_of
from rootless.oci.manifest import parse_manifest
from rootless.registry.repository import Repository
from rootless.registry.settings import Patience, Settings


@pytest.fixture(scope="module")
def proxy(demo_registry: RegistryServer) -> Iterator[FaultProxy]:
    """A proxy before the registry with the demo image; each test sets its own faults."""
    with fault_proxy(demo_registry.host) as proxy:
        yield proxy


@pytest.fixture
def settings(demo_registry: RegistryServer) -> Settings:
    """Settings that do not wait for long."""
    return settings_for(demo_registry, patience=Patience(connect=5, silence=1, crawl=1))


async def layers_of(repository: Repository) -> list[Descriptor]:
    """Return the layers, the largest last."""
    layers = parse_manifest((await repository.manifest()).data).layers
    return sorted(layers, key=lambda layer: layer.size)


async def read(repository: Repository, layer: Descriptor, offset: int = 0) -> bytes:
    """Return a blob from an offset on."""
    async with repository.blob(layer, offset) as body:
        return b"".join([chunk async for chunk in body])


def asked_for(proxy: FaultProxy, part: str) -> list[dict[str, Any]]:
    """Return the requests whose path has this in it."""
    return [entry for entry in proxy.log() if part in entry["path"]]


def test_a_blob_that_is_cut_goes_on(proxy: FaultProxy, settings: Settings) -> None:
    """Cut three times, it is asked for from where it stopped, and comes whole."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[1]
        proxy.set(Fault("blobs/", cut=1_000_000, times=3))
        count = len(asked_for(proxy, layer.digest))
        data = await read(repository, layer)
        assert sha256_of(data) == layer.digest
        ranges = [e["headers"].get("range") for e in asked_for(proxy, layer.digest)[count:]]
        assert ranges == [None, *(f"bytes={n}000000-" for n in (1, 2, 3))]

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_a_cut_and_then_a_storm(proxy: FaultProxy, settings: Settings) -> None:
    """Tries count together until there is progress; with too many the last reason is told."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[1]
        cut = Fault("blobs/", cut=1_000_000, times=1)
        proxy.set(cut, Fault("blobs/", status=503, times=2))
        assert sha256_of(await read(repository, layer)) == layer.digest
        proxy.set(cut, Fault("blobs/", status=503))
        with pytest.raises(RegistryError, match=r"registry fails \(503\)"):
            await read(repository, layer)
        proxy.set(cut, Fault("blobs/", status=404))
        with pytest.raises(NotFound, match="no such blob"):
            await read(repository, layer)

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_a_blob_that_is_cut_again_and_again(proxy: FaultProxy, settings: Settings) -> None:
    """Without progress it ends after so many tries, and says how far it came."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[0]
        proxy.set(Fault("blobs/", cut=10))
        with pytest.raises(RegistryError, match=r"connection to the registry was cut"):
            await read(repository, layer)
        proxy.set(Fault("blobs/", cut=0))
        begin = time.monotonic()
        with pytest.raises(RegistryError, match=r"was cut: http://.*/blobs/sha256:\w+"):
            await read(repository, layer)
        assert time.monotonic() - begin < 5

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_a_registry_without_ranges(proxy: FaultProxy, settings: Settings) -> None:
    """A blob that is cut is read again from its beginning, and what is known is left out."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[1]
        proxy.set(Fault("blobs/", cut=1_000_000, times=1), Fault("blobs/", without=("Range",)))
        assert sha256_of(await read(repository, layer)) == layer.digest
        async with repository.blob(layer, 500) as body:
            assert body.offset == 0
            data = b"".join([chunk async for chunk in body])
        assert sha256_of(data) == layer.digest
        with pytest.raises(RegistryError, match="another part of a blob"):
            await repository.read_range(layer, 500, 500)

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_wrong_lengths(proxy: FaultProxy, settings: Settings) -> None:
    """A body that is longer or shorter than the descriptor says never passes as the blob."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[0]
        for longer in (-100, 100):
            proxy.set(Fault("blobs/", longer=longer))
            with pytest.raises(IntegrityError, match=f"not {layer.size}"):
                await read(repository, layer)
            with pytest.raises(RegistryError, match=r"registry sends bytes|was cut"):
                await repository.read_range(layer, 0, 200)
        proxy.set(Fault("blobs/", headers={"Content-Length": ""}, cut=100))  # ends without a word
        with pytest.raises(RegistryError, match=f"of {layer.size} bytes"):
            await read(repository, layer)
        proxy.set(Fault("blobs/", headers={"Content-Range": "bytes 7-206/" + str(layer.size)}))
        with pytest.raises(RegistryError, match="registry sends bytes 7-206 of a blob, not 0-199"):
            await repository.read_range(layer, 0, 200)
        proxy.set(Fault("blobs/", headers={"Content-Range": "bytes 0-199/999"}))
        with pytest.raises(IntegrityError, match="blob has 999 bytes"):
            await repository.read_range(layer, 0, 200)

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_wrong_digests(proxy: FaultProxy, settings: Settings) -> None:
    """A changed byte in a manifest or a config is found; in a layer it is the reader's to find."""

    async def use(repository: Repository) -> None:
        fetched = await repository.manifest()
        manifest = parse_manifest(fetched.data)
        proxy.set(Fault("manifests/", flip=20))
        with pytest.raises(IntegrityError, match="manifest is not what its digest says"):
            await repository.manifest(fetched.digest)
        with pytest.raises(IntegrityError, match="that the registry says"):
            await repository.manifest()
        proxy.set(Fault("blobs/", flip=20))
        with pytest.raises(IntegrityError, match="blob is not what its digest says"):
            await repository.read_blob(manifest.config, 1 << 20)
        layer = (manifest.layers)[-1]
        digest = hashlib.sha256(await read(repository, layer)).hexdigest()
        assert f"sha256:{digest}" != layer.digest

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_storms_of_429_and_503(proxy: FaultProxy, settings: Settings) -> None:
    """They are waited out, as long as the registry asks; more tries than four end in an error."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[0]
        for status in (429, 500, 502, 503, 504):
            proxy.set(Fault("", status=status, times=3))
            assert sha256_of(await read(repository, layer)) == layer.digest
            count = len(proxy.log())
            proxy.set(Fault("", status=status))
            with pytest.raises(RegistryError, match="try again later"):
                await read(repository, layer)
            assert len(proxy.log()) == count + QUICK.tries
        begin = time.monotonic()
        proxy.set(Fault("", status=429, headers={"Retry-After": "1"}, times=1))
        await repository.head()
        assert 1 <= time.monotonic() - begin < 4
        proxy.set(Fault("", status=503, headers={"Retry-After": "3600"}))
        with pytest.raises(RegistryError, match="asks to wait for 3600 seconds"):
            await repository.head()

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_slow_bodies(proxy: FaultProxy, settings: Settings) -> None:
    """Silence, and a trickle, are taken for a cut; what is merely slow is read to its end."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[0]
        proxy.set(Fault("blobs/", stall=30, stall_at=100, times=1))
        assert sha256_of(await read(repository, layer)) == layer.digest
        proxy.set(Fault("blobs/", rate=40, times=1))
        count = len(proxy.log())
        assert sha256_of(await read(repository, layer)) == layer.digest
        assert len(proxy.log()) == count + 2
        proxy.set(Fault("blobs/", rate=10e3))
        assert sha256_of(await read(repository, layer)) == layer.digest
        assert len(proxy.log()) == count + 3

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_redirects(proxy: FaultProxy, demo_registry: RegistryServer, settings: Settings) -> None:
    """They are followed, a loop is an error that says so, and so is a place that is none."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[0]
        path = f"/v2/debian/blobs/{layer.digest}"
        target = f"http://{demo_registry.host}{path}"
        proxy.set(Fault("blobs/", status=307, headers={"Location": target}))
        data = await read(repository, layer)
        assert sha256_of(data) == layer.digest
        count = len(proxy.log())
        for _ in range(3):  # where a redirect led to is remembered
            assert await repository.read_range(layer, 5, 5) == data[5:10]
        assert len(proxy.log()) == count
        proxy.set(Fault("manifests/", status=302, headers={"Location": "again"}))
        with pytest.raises(RegistryError, match="redirects more than 10 times"):
            await repository.manifest()
        for location in ("", "ftp://example.org/", "http://a:b/"):
            proxy.set(Fault("manifests/", status=302, headers={"Location": location}))
            with pytest.raises(RegistryError, match="usable"):
                await repository.manifest()

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_a_redirect_that_ends(
    proxy: FaultProxy, demo_registry: RegistryServer, settings: Settings
) -> None:
    """Where a redirect led to is asked as long as it answers, then the registry again."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[0]
        with fault_proxy(demo_registry.host) as other:
            target = f"http://{other.host}/v2/debian/blobs/{layer.digest}"
            proxy.set(Fault("blobs/", status=307, headers={"Location": target}))
            other.set(Fault("", status=403, skip=2, times=1))
            for _ in range(4):
                await repository.read_range(layer, 5, 5)
            assert [entry["status"] for entry in other.log()] == [206, 206, 403, 206, 206]
            assert await repository.has_blob(layer.digest)
            assert not [entry for entry in other.log() if entry["method"] == "HEAD"]

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_nonsense(proxy: FaultProxy, settings: Settings) -> None:
    """Answers that are no registry's end in one line each."""

    async def use(repository: Repository) -> None:
        proxy.set(Fault("manifests/", status=200, body="<html>"))
        with pytest.raises(InvalidInput, match="manifest is not JSON"):
            await repository.manifest()
        proxy.set(Fault("manifests/", status=200, body="x" * (5 << 20)))
        with pytest.raises(RegistryError, match="larger than"):
            await repository.manifest()
        proxy.set(Fault("manifests/", status=418, body='{"errors":[{"message":"a\\u001b[31m"}]}'))
        with pytest.raises(RegistryError, match=r"status 418: .*:demo: a \[31m"):
            await repository.manifest()
        proxy.set(Fault("tags/", headers={"Link": '</v2/debian/tags/list?n=1000>; rel="next"'}))
        with pytest.raises(RegistryError, match="the same page again"):
            await repository.tags()
        proxy.set(Fault("tags/", headers={"Link": '<http://other.example/x>; rel="next"'}))
        with pytest.raises(RegistryError, match="another host"):
            await repository.tags()

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_a_cancelled_read_leaves_nothing(proxy: FaultProxy, settings: Settings) -> None:
    """A read that is cancelled in the middle closes its connection; others go on."""

    async def use(repository: Repository) -> None:
        layer = (await layers_of(repository))[0]
        proxy.set(Fault("blobs/", stall=30, stall_at=10, times=1))
        with trio.move_on_after(0.2) as scope:
            await read(repository, layer)
        assert scope.cancelled_caught
        assert sha256_of(await read(repository, layer)) == layer.digest

    proxy.set()
    asked(f"{proxy.host}/debian:demo", settings, use)


def test_uploads_that_are_cut(plain_registry: RegistryServer) -> None:
    """Cut before, within and after a chunk, or in the last request, a blob arrives whole."""
    data = os.urandom(20_000_000)
    digest = sha256_of(data)
    faults = {
        "the beginning": Fault("POST", cut=-1, times=2),
        "a chunk before it": Fault("PATCH", cut=-2, times=1),
        "a chunk after it": Fault("PATCH", cut=-1, times=1),
        "a chunk within": Fault("PATCH", request_cut=1_000_000, times=1),
        "the second chunk": Fault("PATCH", request_cut=1_000_000, times=1, skip=1),
        "the end": Fault("PUT", cut=-2, times=1),
        "after the end": Fault("PUT", cut=-1, times=1),
        "503": Fault("PATCH|PUT", status=503, times=2),
        "no chunks": Fault("PATCH", status=416),
    }
    with fault_proxy(plain_registry.host) as proxy:
        for number, fault in enumerate(faults.values()):

            async def use(repository: Repository, fault: Fault = fault) -> None:
                proxy.set(fault)
                await repository.upload_blob(digest, len(data), lambda at: io.BytesIO(data[at:]))
                proxy.set()
                assert await read(repository, Descriptor("", digest, len(data))) == data

            asked(f"{proxy.host}/up/n{number}:1", settings_for(plain_registry), use)


def test_an_upload_that_ends_early(plain_registry: RegistryServer) -> None:
    """Too few bytes, or others than the digest says, are an error, and nothing is stored."""
    data = os.urandom(100_000)

    async def use(repository: Repository) -> None:
        with pytest.raises(IntegrityError, match="ends early"):
            await repository.upload_blob(
                sha256_of(data), len(data) + 1, lambda at: io.BytesIO(data[at:])
            )
        with pytest.raises(RegistryError, match="refuses the blob"):
            await repository.upload_blob(
                sha256_of(b"other"), len(data), lambda at: io.BytesIO(data[at:])
            )
        assert not await repository.has_blob(sha256_of(data))

    asked(f"{plain_registry.host}/early:1", settings_for(plain_registry), use)
