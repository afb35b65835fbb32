"""The proxy of the tests itself: without faults it changes nothing, with one it does that."""

import http.client
import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from fault_proxy import Fault, FaultProxy, fault_proxy
from registries import RegistryServer


@pytest.fixture
def proxy(demo_registry: RegistryServer) -> Iterator[FaultProxy]:
    """A proxy before the registry with the demo image."""
    with fault_proxy(demo_registry.host) as proxy:
        yield proxy


def layers(host: str) -> list[tuple[str, int]]:
    """Return digest and size of the demo image's layers, the largest last."""
    _, _, data = ask(host, "GET", "/v2/debian/manifests/demo")
    found = json.loads(data)["layers"]
    return sorted(((each["digest"], each["size"]) for each in found), key=lambda each: each[1])


def ask(host: str, method: str, path: str, **fields: str) -> tuple[int, dict[str, str], bytes]:
    """Ask once; return status, fields and body."""
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        connection.request(method, path, headers={**accept, **fields})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return response.status, found, response.read()
    finally:
        connection.close()


def test_skopeo_sees_no_difference(plain_registry: RegistryServer, tmp_path: Path) -> None:
    """An image goes through it in both directions."""
    images.oci_layout(tmp_path / "layout", [images.small_layer()], tag="small")
    with fault_proxy(plain_registry.host) as proxy:
        copies = (
            [f"oci:{tmp_path}/layout:small", f"docker://{proxy.host}/one:1"],
            [f"docker://{proxy.host}/one:1", f"docker://{plain_registry.host}/two:1"],
        )
        for names in copies:
            options = ["--src-tls-verify=false", "--dest-tls-verify=false", "-q"]
            done = subprocess.run(
                ["skopeo", "copy", *options, *names], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
    digests = {
        ask(plain_registry.host, "HEAD", f"/v2/{name}/manifests/1")[1]["docker-content-digest"]
        for name in ("one", "two")
    }
    assert len(digests) == 1


def test_faults(proxy: FaultProxy) -> None:
    """Each kind of fault is seen by a client, and ends after its times."""
    digest, size = layers(proxy.host)[0]
    path = f"/v2/debian/blobs/{digest}"
    whole = ask(proxy.host, "GET", path)[2]
    assert len(whole) == size
    proxy.set(Fault("blobs", status=503, headers={"Retry-After": "7"}, times=1, skip=1))
    answers = [ask(proxy.host, "GET", path) for _ in range(3)]
    assert [status for status, _, _ in answers] == [200, 503, 200]
    assert answers[1][1]["retry-after"] == "7"
    proxy.set(Fault("blobs", cut=1000))
    with pytest.raises(http.client.IncompleteRead) as cut:
        ask(proxy.host, "GET", path)
    assert cut.value.partial == whole[:1000]
    proxy.set(Fault("blobs", cut=-1))
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy.host, "GET", path)
    proxy.set(Fault("blobs", longer=-10))
    assert ask(proxy.host, "GET", path)[2] == whole[:-10]
    proxy.set(Fault("blobs", longer=10))
    with pytest.raises(http.client.IncompleteRead):
        ask(proxy.host, "GET", path)
    proxy.set(Fault("blobs", flip=5))
    assert [a ^ b for a, b in zip(ask(proxy.host, "GET", path)[2], whole, strict=True)][5] == 0xFF
    proxy.set(Fault("blobs", without=("Range",)))
    assert ask(proxy.host, "GET", path, Range="bytes=5-9")[0] == 200
    assert proxy.log()[-1]["headers"]["range"] == "bytes=5-9"
    begin = time.monotonic()
    proxy.set(Fault("blobs", stall=0.3, stall_at=10, times=1), Fault("blobs", rate=60e3))
    assert ask(proxy.host, "GET", path)[2] == whole
    assert 0.3 < time.monotonic() - begin < 3
    begin = time.monotonic()
    assert ask(proxy.host, "GET", path)[2] == whole
    assert 0.2 < time.monotonic() - begin < 3


def test_the_link(demo_registry: RegistryServer) -> None:
    """A body takes as long as its size at the bandwidth, and a request the delay both ways."""
    digest, size = layers(demo_registry.host)[1]
    with fault_proxy(demo_registry.host, bandwidth=10e6, delay=0.05) as proxy:
        begin = time.monotonic()
        ask(proxy.host, "HEAD", "/v2/")
        assert 0.2 <= time.monotonic() - begin < 1  # handshake, request
        begin = time.monotonic()
        assert len(ask(proxy.host, "GET", f"/v2/debian/blobs/{digest}")[2]) == size
        took = time.monotonic() - begin
    assert size / 10e6 < took < size / 10e6 + 1.5


def test_tls(tls_registry: RegistryServer, demo_registry: RegistryServer) -> None:
    """It speaks TLS with the certificate that it is given."""
    folder = tls_registry.folder
    with fault_proxy(
        demo_registry.host, certificate=folder / "server.crt", key=folder / "server.key"
    ) as proxy:
        context = ssl.create_default_context(cafile=str(tls_registry.ca))
        connection = http.client.HTTPSConnection(proxy.host, context=context, timeout=20)
        connection.request("GET", "/v2/")
        assert connection.getresponse().status == 200
        connection.close()


def test_a_proxy_proper(proxy: FaultProxy) -> None:
    """Asked by whole URL it asks its server, whatever the name."""
    connection = http.client.HTTPConnection(proxy.host, timeout=20)
    connection.request("GET", "http://registry.example:5000/v2/")
    assert connection.getresponse().status == 200
    connection.close()
    assert proxy.log()[-1]["path"] == "/v2/"
