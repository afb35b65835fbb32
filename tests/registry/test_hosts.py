"""Who gets to see what: redirects, certificates, proxies, mirrors, names that are blocked."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from asking import asked, settings_for
from fault_proxy import Fault, FaultProxy, fault_proxy
from registries import RegistryServer, certs_d, fill

from rootless.errors import InvalidInput, NotFound, RegistryError
from rootless.oci.manifest import parse_manifest
from rootless.registry.certificates import Certificates
from rootless.registry.credentials import Credentials
from rootless.registry.keyring import Keyring
from rootless.registry.proxies import Proxies
from rootless.registry.registries_conf import parse_registries_conf
from rootless.registry.repository import Repository


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small image, as skopeo names it."""
    folder = tmp_path_factory.mktemp("image") / "layout"
    images.oci_layout(folder, [images.small_layer()], tag="small")
    return f"oci:{folder}:small"


@pytest.fixture(scope="module")
def basic(basic_registry: RegistryServer, layout: str) -> RegistryServer:
    """With basic authentication and a small image."""
    fill(basic_registry, layout, "org/small:1")
    return basic_registry


@pytest.fixture(scope="module")
def tls(tls_registry: RegistryServer, layout: str) -> RegistryServer:
    """With TLS and a small image."""
    fill(tls_registry, layout, "org/small:1")
    return tls_registry


@pytest.fixture(scope="module")
def plain(plain_registry: RegistryServer, layout: str) -> RegistryServer:
    """With a small image."""
    fill(plain_registry, layout, "mirror/small:1")
    return plain_registry


@pytest.fixture
def other(plain: RegistryServer) -> Iterator[FaultProxy]:
    """Another host, that notes what it is sent."""
    with fault_proxy(plain.host) as proxy:
        yield proxy


async def layer_of(repository: Repository) -> bytes:
    """Return the one layer of an image."""
    (layer,) = parse_manifest((await repository.manifest()).data).layers
    async with repository.blob(layer) as body:
        return b"".join([chunk async for chunk in body])


def test_credentials_stay_with_their_host(
    basic: RegistryServer, plain: RegistryServer, other: FaultProxy
) -> None:
    """A redirect to another host is followed without them, and its 401 is not answered."""
    with fault_proxy(basic.host) as proxy:
        keyring = Keyring(given={proxy.host: Credentials(basic.user, basic.password)})
        settings = settings_for(plain, keyring=keyring)
        whole = asked(f"{proxy.host}/org/small:1", settings, layer_of)
        (path,) = {e["path"] for e in proxy.log() if "blobs/sha" in e["path"]}
        assert proxy.log()[-1]["headers"]["authorization"].startswith("Basic ")
        moved = f"http://{other.host}{path.replace('org/', 'mirror/')}?signature=SECRET"
        proxy.set(Fault("blobs/", status=307, headers={"Location": moved}))
        assert asked(f"{proxy.host}/org/small:1", settings, layer_of) == whole
        assert "authorization" not in other.log()[-1]["headers"]
        assert "cookie" not in other.log()[-1]["headers"]
        other.set(Fault("", status=401, headers={"WWW-Authenticate": 'Basic realm="give"'}))
        count = len(other.log())
        with pytest.raises(InvalidInput, match="registry refuses access") as refused:
            asked(f"{proxy.host}/org/small:1", settings, layer_of)
        assert len(other.log()) == count + 1
        assert "authorization" not in other.log()[-1]["headers"]
        other.set(Fault("", status=400))
        with pytest.raises(RegistryError, match="status 400") as signed:
            asked(f"{proxy.host}/org/small:1", settings, layer_of)
        for said in (str(refused.value), str(signed.value)):
            assert "SECRET" not in said
            assert basic.password not in said


def test_an_error_that_repeats_a_secret(basic: RegistryServer) -> None:
    """What a registry says is shown without the user's password, plain or as it was sent."""
    message = "no, not with open sesame of YWxpY2U6b3BlbiBzZXNhbWU="
    body = json.dumps({"errors": [{"code": "DENIED", "message": message}]})
    with fault_proxy(basic.host, Fault("manifests/", status=403, body=body, skip=1)) as proxy:
        keyring = Keyring(given={proxy.host: Credentials(basic.user, basic.password)})
        with pytest.raises(InvalidInput, match=r"DENIED no, not with \*\*\* of \*\*\*"):
            asked(f"{proxy.host}/org/small:1", settings_for(basic, keyring=keyring), layer_of)


def test_a_redirect_without_tls(tls: RegistryServer, plain: RegistryServer) -> None:
    """From HTTPS it does not lead to HTTP, unless the registry is called insecure."""
    target = f"http://{plain.host}/v2/mirror/small/manifests/1"
    with fault_proxy(
        plain.host,
        Fault("manifests/", status=302, headers={"Location": target}),
        certificate=tls.folder / "server.crt",
        key=tls.folder / "server.key",
    ) as proxy:
        certificates = Certificates(folder=certs_d(tls) / tls.host)
        name = f"{proxy.host}/mirror/small:1"
        with pytest.raises(RegistryError, match="redirects to a host without TLS"):
            asked(name, settings_for(tls, certificates=certificates), layer_of)
        assert asked(name, settings_for(tls, tls_verify=False), layer_of)


def test_certificates(
    tls: RegistryServer,
    client_certificate_registry: RegistryServer,
    layout: str,
    tmp_path: Path,
) -> None:
    """An unknown CA, a missing client certificate and plain HTTP each say what to do."""
    name = f"{tls.host}/org/small:1"
    with pytest.raises(RegistryError, match=rf"not trusted: .*certs\.d/{tls.host}/ca\.crt"):
        asked(name, settings_for(tls, certificates=Certificates()), layer_of)
    assert asked(name, settings_for(tls), layer_of)
    assert asked(name, settings_for(tls, tls_verify=False), layer_of)
    assert asked(name, settings_for(tls, certificates=Certificates(ca_file=str(tls.ca))), layer_of)
    with_client = client_certificate_registry
    fill(with_client, layout, "org/small:1")
    name = f"{with_client.host}/org/small:1"
    assert asked(name, settings_for(with_client), layer_of)
    shutil.copy(with_client.ca, tmp_path / "ca.crt")
    for verify in (True, False):
        settings = settings_for(
            with_client, certificates=Certificates(folder=tmp_path), tls_verify=verify
        )
        with pytest.raises(RegistryError, match="wants another certificate of yours"):
            asked(name, settings, layer_of)


def test_plain_http(plain: RegistryServer) -> None:
    """It is refused with the option that allows it."""
    with pytest.raises(RegistryError, match=r"does not speak TLS: .*--tls-verify=false"):
        asked(f"{plain.host}/mirror/small:1", settings_for(plain, tls_verify=True), layer_of)


def test_proxies(plain: RegistryServer, tls: RegistryServer, layout: str) -> None:
    """A registry of a name that only the proxy knows is reached, with TLS through a tunnel."""
    with fault_proxy(plain.host) as proxy:
        proxies = Proxies(http=f"http://user:secret@{proxy.host}", https=f"http://{proxy.host}")
        conf = parse_registries_conf(b'[[registry]]\nlocation="registry.test:5000"', "conf")
        settings = settings_for(plain, proxies=proxies, registries=conf)
        assert asked("registry.test:5000/mirror/small:1", settings, layer_of)
        plain_requests = [e for e in proxy.log() if e["method"] == "GET"]
        assert plain_requests[0]["headers"]["host"] == "registry.test:5000"
        assert plain_requests[0]["headers"]["proxy-authorization"].startswith("Basic ")
    with fault_proxy(tls.host) as proxy:
        proxies = Proxies(https=f"http://{proxy.host}")
        settings = settings_for(tls, proxies=proxies, tls_verify=False)
        assert asked("registry.test/org/small:1", settings, layer_of)
        assert {entry["method"] for entry in proxy.log()} == {"CONNECT"}


def test_mirrors(plain: RegistryServer, tls: RegistryServer, other: FaultProxy) -> None:
    """A mirror that has the image serves all of it; one that fails or has not is passed over."""
    conf = f"""
        [[registry]]
        prefix = "{tls.host}/org"
        location = "{tls.host}/org"
        [[registry.mirror]]
        location = "127.0.0.1:1/nobody"
        [[registry.mirror]]
        location = "{other.host}/mirror"
        insecure = true
        """
    settings = settings_for(tls, registries=parse_registries_conf(conf.encode(), "conf"))
    settings = settings_for(tls, registries=settings.registries, tls_verify=None)
    name = f"{tls.host}/org/small:1"
    count = len(tls.access_log())
    assert asked(name, settings, layer_of)
    assert len(tls.access_log()) == count
    assert [e["status"] for e in other.log() if "mirror/small" in e["path"]] == [200, 200]
    for fault in (Fault("", status=404), Fault("", status=503), Fault("", cut=-1)):
        other.set(fault)
        count = len(tls.access_log())
        assert asked(name, settings, layer_of)
        assert len(tls.access_log()) == count + 2

    # one that has the manifest, and cannot bring a layer to its end
    other.set(Fault("blobs/", cut=20))
    count = len(tls.access_log())
    assert asked(name, settings, layer_of)
    assert len(tls.access_log()) == count + 1
    assert len([e for e in other.log() if "blobs/" in e["path"]][-2:]) == 2

    async def absent(repository: Repository) -> None:
        await repository.manifest("absent")

    with pytest.raises(NotFound, match=f"no such image in the registry: {tls.host}/org/small"):
        asked(name, settings, absent)

    async def absent_at_last(repository: Repository) -> None:
        other.set(Fault("", status=503))
        await repository.manifest()  # from here on the registry is asked first
        await repository.manifest("absent")

    with pytest.raises(NotFound, match=f"no such image in the registry: {tls.host}/org/small"):
        asked(name, settings, absent_at_last)


def test_blocked(plain: RegistryServer) -> None:
    """A blocked name is not asked for at all."""
    conf = f'[[registry]]\nprefix="{plain.host}/mirror"\nblocked=true'
    settings = settings_for(plain, registries=parse_registries_conf(conf.encode(), "conf"))
    count = len(plain.access_log())
    with pytest.raises(InvalidInput, match="registry is blocked"):
        asked(f"{plain.host}/mirror/small:1", settings, layer_of)
    assert len(plain.access_log()) == count
