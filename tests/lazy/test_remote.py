"""`rootless.lazy.remote`: who is asked for bytes, and what is said when nobody answers."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trio
from fault_proxy import Fault, FaultProxy, fault_proxy
from lazily import NO_NETWORK
from registries import RegistryServer

from rootless.errors import RegistryError
from rootless.lazy.ranges import Run
from rootless.lazy.remote import Remote
from rootless.lazy.source import Origin, Source
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import sha256_of

RUN = Run(1000, 21_000)
NOBODY = Origin("127.0.0.1:9/debian", tls_verify=False)


@pytest.fixture
def proxy(demo_registry: RegistryServer) -> Iterator[FaultProxy]:
    """A proxy before a registry with the demo image."""
    with fault_proxy(demo_registry.host) as proxy:
        yield proxy


@pytest.fixture
def blob(demo_registry: RegistryServer) -> tuple[Descriptor, bytes]:
    """The largest blob that the registry has."""
    path = max(demo_registry.blobs.glob("*/*/data"), key=lambda path: path.stat().st_size)
    data = path.read_bytes()
    return Descriptor("", sha256_of(data), len(data)), data[RUN.start : RUN.end]


def source(blob: Descriptor, *origins: Origin) -> Source:
    """Return where the blob is."""
    return Source(blob, "estargz", sha256_of(b""), origins)


def of(host: str) -> Origin:
    """Return the demo image's repository at a host."""
    return Origin(f"{host}/debian", tls_verify=False)


def environ(tmp_path: Path) -> Mapping[str, str]:
    """Return the environment of a user without any settings."""
    return {"HOME": str(tmp_path)}


def test_another_who_has_it(
    proxy: FaultProxy, blob: tuple[Descriptor, bytes], tmp_path: Path
) -> None:
    """Where the first does not answer the next is asked, and nobody has to be told."""
    said: list[str] = []

    async def read() -> bytes:
        async with Remote(environ(tmp_path), 20, said.append) as remote:
            return await remote.read(source(blob[0], NOBODY, of(proxy.host)), RUN)

    assert trio.run(read) == blob[1]
    assert not said


def test_who_was_wrong_is_asked_last(
    proxy: FaultProxy, demo_registry: RegistryServer, blob: tuple[Descriptor, bytes], tmp_path: Path
) -> None:
    """With *skip* the first one is left alone, whether another name or another mirror."""
    proxy.set(Fault("GET .*/blobs/", flip=0))

    async def read(*origins: Origin) -> tuple[bytes, bytes]:
        async with Remote(environ(tmp_path), 20, str) as remote:
            wanted = source(blob[0], *origins)
            return await remote.read(wanted, RUN), await remote.read(wanted, RUN, skip=1)

    first, second = trio.run(read, of(proxy.host), of(demo_registry.host))
    assert first != blob[1]
    assert second == blob[1]
    conf = tmp_path / ".config/containers/registries.conf"
    conf.parent.mkdir(parents=True)
    entry = {"location": demo_registry.host, "insecure": True}
    mirror = {"location": proxy.host, "insecure": True}
    lines = [
        "[[registry]]",
        *(f"{name} = {json.dumps(value)}" for name, value in entry.items()),
        "[[registry.mirror]]",
        *(f"{name} = {json.dumps(value)}" for name, value in mirror.items()),
    ]
    conf.write_text("\n".join(lines))
    first, second = trio.run(read, of(demo_registry.host))
    assert first != blob[1]
    assert second == blob[1]


def test_a_lost_network(proxy: FaultProxy, blob: tuple[Descriptor, bytes], tmp_path: Path) -> None:
    """It is tried for as long as was said, then for less; one line tells of it, one of its end."""
    said: list[str] = []

    async def ask() -> None:
        async with Remote(environ(tmp_path), 1, said.append) as remote:
            wanted = source(blob[0], of(proxy.host))
            proxy.set(NO_NETWORK)
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(RegistryError):
                    await remote.read(wanted, RUN)
                assert time.monotonic() - began < 4
            assert remote.is_lost
            proxy.set()
            assert await remote.read(wanted, RUN) == blob[1]

    trio.run(ask)
    assert len(said) == 2
    assert "not here yet give I/O errors" in said[0]
    assert "answers again" in said[1]
