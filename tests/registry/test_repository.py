"""Reading and writing a repository, against docker-registry in each of its forms."""

import hashlib
import io
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from asking import asked, settings_for
from fault_proxy import Fault, fault_proxy
from registries import RegistryServer, fill, registry

from rootless.errors import IntegrityError, InvalidInput, NotFound, RegistryError
from rootless.oci.descriptor import (
    DOCKER_MANIFEST,
    IMAGE_CONFIG,
    IMAGE_INDEX,
    MANIFEST,
    Descriptor,
)
from rootless.oci.digest import sha256_of
from rootless.oci.manifest import parse_manifest
from rootless.registry.repository import Fetched, Repository

FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "TLS": {"tls": True},
    "basic": {"auth": "htpasswd"},
    "token": {"auth": "token", "tls": True},
    "client certificate": {"tls": True, "client_certificates": True},
}


@pytest.fixture(scope="module", params=FORMS.values(), ids=FORMS)
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    demo_image: str,
) -> Iterator[RegistryServer]:
    """Each form, with the demo image."""
    with registry(tmp_path_factory.mktemp("registry") / "any", **request.param) as server:
        fill(server, f"oci:{demo_image}", "library/debian:demo")
        yield server


async def all_of(repository: Repository, descriptor: Descriptor, offset: int = 0) -> bytes:
    """Return a blob."""
    async with repository.blob(descriptor, offset) as body:
        assert body.offset == offset
        return b"".join([chunk async for chunk in body])


def test_reading(server: RegistryServer) -> None:
    """Manifest, config, layers, parts of layers and tags come as they were pushed."""

    async def use(repository: Repository) -> None:
        head = await repository.head()
        fetched = await repository.manifest()
        assert head == Descriptor(MANIFEST, fetched.digest, len(fetched.data))
        assert await repository.manifest(fetched.digest) == fetched
        manifest = parse_manifest(fetched.data)
        config = await repository.read_blob(manifest.config, 1 << 20)
        assert len(json.loads(config)["rootfs"]["diff_ids"]) == len(manifest.layers)
        layer = max(manifest.layers, key=lambda each: each.size)
        data = await all_of(repository, layer)
        assert "sha256:" + hashlib.sha256(data).hexdigest() == layer.digest
        assert await all_of(repository, layer, layer.size - 1000) == data[-1000:]
        assert await all_of(repository, layer, layer.size) == b""
        assert await repository.read_range(layer, 1_000_000, 70_000) == data[1_000_000:1_070_000]
        assert await repository.read_range(layer, layer.size - 1, 1) == data[-1:]
        assert await repository.read_range(layer, 5, 0) == b""
        assert await repository.tags() == ["demo"]
        assert await repository.head("absent") is None

    asked(f"{server.host}/library/debian:demo", settings_for(server), use)


def test_writing(server: RegistryServer) -> None:
    """Blobs of every size, mounted blobs and a manifest can be written, and are there then."""
    name = f"{server.host}/made/here:1"
    chunks_before = sum(line.startswith("PATCH") for line in server.access_log())

    async def use(repository: Repository) -> Fetched:
        layers = []
        for size in (0, 1, 5 << 20, 40_000_000):  # one request up to 4 MiB, then chunks
            data = os.urandom(size)
            digest = sha256_of(data)
            assert not await repository.has_blob(digest)
            await repository.upload_blob(digest, size, lambda at, data=data: io.BytesIO(data[at:]))
            assert await repository.has_blob(digest)
            layers.append(Descriptor("application/x-test", digest, size))
            assert await all_of(repository, layers[-1]) == data
        config = b"{}"
        # not to be had from there: the upload that the registry has begun is gone on with
        assert not await repository.mount_blob(sha256_of(config), "library/debian")
        await repository.upload_blob(sha256_of(config), 2, lambda at: io.BytesIO(config[at:]))
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": Descriptor(IMAGE_CONFIG, sha256_of(config), 2).to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
        data = json.dumps(manifest).encode()
        assert await repository.put_manifest(data, MANIFEST) == sha256_of(data)
        await repository.put_manifest(data, MANIFEST, sha256_of(data))
        assert await repository.tags() == ["1"]
        assert await repository.referrers(sha256_of(data)) == ()
        return await repository.manifest()

    fetched = asked(name, settings_for(server), use)
    assert fetched.media_type == MANIFEST
    chunks = sum(line.startswith("PATCH") for line in server.access_log()) - chunks_before
    assert chunks == 1 + 3  # 5 MiB in one, 40 MB in three


def test_mounting(server: RegistryServer) -> None:
    """A blob of another repository is taken over without being sent."""

    async def source(repository: Repository) -> Descriptor:
        return parse_manifest((await repository.manifest()).data).layers[0]

    layer = asked(f"{server.host}/library/debian:demo", settings_for(server), source)

    async def use(repository: Repository) -> None:
        assert not await repository.has_blob(layer.digest)
        assert await repository.mount_blob(layer.digest, "library/debian")
        assert await repository.has_blob(layer.digest)

    asked(f"{server.host}/mounted/here:1", settings_for(server), use)


def test_what_is_not_there(server: RegistryServer) -> None:
    """An absent image, repository or blob is NotFound, with the name in one line."""

    async def use(repository: Repository) -> None:
        for wanted in ("absent", sha256_of(b"absent")):
            with pytest.raises(NotFound, match=r"no such image in the registry: .*absent|@sha256"):
                await repository.manifest(wanted)
        with pytest.raises(NotFound, match="no such blob"):
            await all_of(repository, Descriptor("", sha256_of(b"absent"), 6))
        with pytest.raises(NotFound, match="no such blob"):
            await repository.read_range(Descriptor("", sha256_of(b"absent"), 6), 0, 5)

    asked(f"{server.host}/library/debian:demo", settings_for(server), use)

    async def tags(repository: Repository) -> None:
        with pytest.raises(NotFound, match=r"no such repository in the registry: .*/absent/here"):
            await repository.tags()

    asked(f"{server.host}/absent/here:1", settings_for(server), tags)


def test_sizes_that_lie(server: RegistryServer) -> None:
    """A descriptor with another size than the blob's is an error, not a shorter or longer read."""

    async def use(repository: Repository) -> None:
        layer = parse_manifest((await repository.manifest()).data).layers[0]
        for size in (layer.size - 1, layer.size + 1):
            wrong = Descriptor(layer.media_type, layer.digest, size)
            with pytest.raises(IntegrityError, match=f"blob has {layer.size} bytes, not {size}"):
                await all_of(repository, wrong)
            with pytest.raises(IntegrityError, match=f"blob has {layer.size} bytes, not {size}"):
                await repository.read_range(wrong, 0, 10)
        with pytest.raises(InvalidInput, match="outside of the blob"):
            await repository.read_range(layer, layer.size - 1, 2)
        with pytest.raises(InvalidInput, match="too large"):
            await repository.read_blob(layer, 1000)

    asked(f"{server.host}/library/debian:demo", settings_for(server), use)


def test_many_tags(plain_registry: RegistryServer) -> None:
    """All are found, or as many as are asked for; Docker's media types pass."""
    data = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json"}
            | {"digest": sha256_of(b"{}"), "size": 2},
            "layers": [],
        }
    ).encode()

    async def use(repository: Repository) -> None:
        await repository.upload_blob(sha256_of(b"{}"), 2, lambda at: io.BytesIO(b"{}"[at:]))
        for number in range(7):
            await repository.put_manifest(data, DOCKER_MANIFEST, f"tag{number}")
        assert (await repository.manifest("tag3")).media_type == DOCKER_MANIFEST
        every = await repository.tags()
        assert sorted(every) == [f"tag{number}" for number in range(7)]
        assert await repository.tags(3) == every[:3]

    asked(f"{plain_registry.host}/many/tags:1", settings_for(plain_registry), use)


def test_a_port_where_nobody_listens(plain_registry: RegistryServer) -> None:
    """A registry that is not there is a RegistryError with the host and the reason."""
    host = "127.0.0.1:1"

    async def use(repository: Repository) -> None:
        with pytest.raises(RegistryError, match=r"Connection refused: 127\.0\.0\.1:1"):
            await repository.manifest()

    asked(f"{host}/x:1", settings_for(plain_registry), use)


def test_referrers(plain_registry: RegistryServer) -> None:
    """By the API where a registry has it, page after page, else by the tag that clients keep."""
    subject = sha256_of(b"a manifest")
    items = [
        {**Descriptor(MANIFEST, sha256_of(kind.encode()), 9).to_json(), "artifactType": kind}
        for kind in ("signature", "sbom")
    ]
    index = {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": []}
    data = json.dumps(index).encode()

    async def use(repository: Repository) -> None:
        assert await repository.referrers(subject) == ()
        await repository.put_manifest(data, IMAGE_INDEX, subject.replace(":", "-"))
        assert await repository.referrers(subject) == ()
        pages = [json.dumps({**index, "manifests": [item]}) for item in items]
        link = f'</v2/refs/app/referrers/{subject}?page=2>; rel="next"'
        proxy.set(
            Fault("page=2", status=200, body=pages[1]),
            Fault("/referrers/", status=200, body=pages[0], headers={"Link": link}),
        )
        both = await repository.referrers(subject)
        assert [each.digest for each in both] == [item["digest"] for item in items]
        (sbom,) = await repository.referrers(subject, "sbom")
        assert sbom.digest == items[1]["digest"]
        assert "artifactType=sbom" in proxy.log()[-2]["path"]

    with fault_proxy(plain_registry.host) as proxy:
        asked(f"{proxy.host}/refs/app:1", settings_for(plain_registry), use)


def test_tags_of_a_page(plain_registry: RegistryServer) -> None:
    """A list in pages is read to its end; what is no tag is left out."""
    first = json.dumps({"name": "x", "tags": ["one", "../two", ""]})
    link = '</v2/paged/tags/list?n=1000&last=one>; rel="next"'

    async def use(repository: Repository) -> None:
        assert await repository.tags() == ["one", "three"]
        assert await repository.tags(1) == ["one"]

    with fault_proxy(
        plain_registry.host,
        Fault("last=one", status=200, body='{"tags": ["three"]}'),
        Fault("/tags/list", status=200, body=first, headers={"Link": link}),
    ) as proxy:
        asked(f"{proxy.host}/paged:1", settings_for(plain_registry), use)
