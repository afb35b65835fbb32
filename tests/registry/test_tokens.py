"""Bearer tokens: which are asked for, how long they are used, who gets the password."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
import trio
from asking import asked, settings_for
from fault_proxy import Fault, fault_proxy
from registries import RegistryServer, certs_d, fill, registry
from token_server import REFRESH_TOKEN

from rootless.errors import InvalidInput, RegistryError
from rootless.oci.digest import sha256_of
from rootless.oci.manifest import parse_manifest
from rootless.registry.certificates import Certificates
from rootless.registry.credentials import Credentials
from rootless.registry.keyring import Keyring
from rootless.registry.repository import Repository


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small image, as skopeo names it."""
    folder = tmp_path_factory.mktemp("image") / "layout"
    images.oci_layout(folder, [images.small_layer()], tag="small")
    return f"oci:{folder}:small"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, layout: str) -> Iterator[RegistryServer]:
    """A registry with tokens that end after two seconds and say five minutes."""
    folder = tmp_path_factory.mktemp("registry") / "short"
    with registry(folder, auth="token", lifetime=2, told=300) as server:
        fill(server, layout, "private/small:1")
        fill(server, layout, "public/small:1")
        yield server


def since(server: RegistryServer, count: int) -> list[tuple[str, list[str]]]:
    """Return user and scopes of the token requests after so many."""
    return [(each["user"], each["scopes"]) for each in server.token_requests()[count:]]


async def read_all(repository: Repository) -> bytes:
    """Read manifest, config and layers; return the config."""
    manifest = parse_manifest((await repository.manifest()).data)
    for layer in manifest.layers:
        async with repository.blob(layer) as body:
            assert sum([len(chunk) async for chunk in body]) == layer.size
    return await repository.read_blob(manifest.config, 1 << 20)


def test_one_token_for_one_scope(server: RegistryServer) -> None:
    """Many requests at once, one token; a push needs another; a mount names both repositories."""
    count = len(server.token_requests())
    data = b"a blob"

    async def use(repository: Repository) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(read_all, repository)
        await repository.upload_blob(sha256_of(data), len(data), lambda at: io.BytesIO(data[at:]))
        await repository.mount_blob(sha256_of(b"absent"), "public/small")

    asked(f"{server.host}/private/small:1", settings_for(server), use)
    assert since(server, count) == [
        ("alice", ["repository:private/small:pull"]),
        ("alice", ["repository:private/small:pull,push"]),
        ("alice", ["repository:private/small:pull,push", "repository:public/small:pull"]),
    ]


def test_a_token_that_ends_in_the_middle(server: RegistryServer) -> None:
    """A token that the registry takes no more is replaced, and the request made again."""
    count = len(server.token_requests())

    async def use(repository: Repository) -> None:
        first = await read_all(repository)
        await trio.sleep(2.5)
        assert await read_all(repository) == first

    asked(f"{server.host}/private/small:1", settings_for(server), use)
    assert len(since(server, count)) == 2


def test_a_token_that_says_when_it_ends(layout: str, tmp_path: Path) -> None:
    """It is replaced before: the registry never sees one that has ended."""
    with registry(tmp_path / "told", auth="token", lifetime=3, told=1) as server:
        fill(server, layout, "private/small:1")
        refused = len([line for line in server.access_log() if '" 401' in line])

        async def use(repository: Repository) -> None:
            for _ in range(5):
                await repository.manifest()
                await trio.sleep(0.4)

        asked(f"{server.host}/private/small:1", settings_for(server), use)
        lines = [line for line in server.access_log() if '" 401' in line]
        assert len(lines) == refused + 1  # the very first request, which has none
        assert len(server.token_requests()) >= 3


def test_who_is_nobody(server: RegistryServer) -> None:
    """Without credentials what is public can be pulled, by a token for nobody; nothing else."""
    nobody = settings_for(server, keyring=Keyring())
    count = len(server.token_requests())
    asked(f"{server.host}/public/small:1", nobody, read_all)
    assert since(server, count) == [("", ["repository:public/small:pull"])]
    with pytest.raises(InvalidInput, match=f"log in with `rootless login {server.host}`"):
        asked(f"{server.host}/private/small:1", nobody, read_all)


def test_a_wrong_password(server: RegistryServer, basic_registry: RegistryServer) -> None:
    """It is refused, once, in one line that does not have it."""
    for each in (server, basic_registry):
        keyring = Keyring(given={each.host: Credentials("alice", "wrong secret")})
        with pytest.raises(InvalidInput, match="rootless login") as refused:
            asked(f"{each.host}/private/small:1", settings_for(each, keyring=keyring), read_all)
        assert "wrong secret" not in str(refused.value)
    requests = [line for line in basic_registry.access_log() if "private/small" in line]
    assert len(requests) == 2  # without, and with the password


def test_an_identity_token(server: RegistryServer) -> None:
    """It is sent by POST as a refresh token, and gives the same rights."""
    keyring = Keyring(given={server.host: Credentials("", identity_token=REFRESH_TOKEN)})
    count = len(server.token_requests())
    asked(f"{server.host}/private/small:1", settings_for(server, keyring=keyring), read_all)
    assert [each["method"] for each in server.token_requests()[count:]] == ["POST"]


def test_a_token_server_without_tls(
    layout: str, tmp_path: Path, plain_registry: RegistryServer, tls_registry: RegistryServer
) -> None:
    """A password does not leave TLS because a registry names a token server without it."""
    with registry(tmp_path / "r", auth="token", tls=True) as server:
        fill(server, layout, "private/small:1")
        config = server.folder / "config.yml"
        assert '"realm": "http://127.0.0.1' in config.read_text()
        # loopback is as good as TLS
        asked(f"{server.host}/private/small:1", settings_for(server), read_all)
    challenge = 'Bearer realm="http://tokens.example/token",service="x"'
    folder = tls_registry.folder
    with fault_proxy(
        plain_registry.host,
        Fault("", status=401, headers={"WWW-Authenticate": challenge}),
        certificate=folder / "server.crt",
        key=folder / "server.key",
    ) as proxy:
        settings = settings_for(
            tls_registry,
            keyring=Keyring(given={proxy.host: Credentials("alice", "secret")}),
            certificates=Certificates(folder=certs_d(tls_registry) / tls_registry.host),
        )
        with pytest.raises(RegistryError, match=r"token server has no TLS: .*tokens\.example"):
            asked(f"{proxy.host}/private/small:1", settings, read_all)


def test_a_storm_of_401(demo_registry: RegistryServer) -> None:
    """A registry that refuses every token is given up after the second."""
    token = Fault("/token", status=200, body=json.dumps({"token": "abc"}))
    with fault_proxy(demo_registry.host) as proxy:
        realm = f'Bearer realm="http://{proxy.host}/token"'
        proxy.set(token, Fault("/debian/", status=401, headers={"WWW-Authenticate": realm}))
        with pytest.raises(InvalidInput, match="registry refuses access"):
            asked(f"{proxy.host}/debian:demo", settings_for(demo_registry), read_all)
        paths = [each["path"].partition("?")[0] for each in proxy.log()]
        assert paths.count("/v2/debian/manifests/demo") == 3
        assert paths.count("/token") == 2


def test_a_registry_with_other_names(demo_registry: RegistryServer) -> None:
    """The scopes that it asks for after a token that was not enough are asked for too."""
    with fault_proxy(demo_registry.host) as proxy:
        realm = f'Bearer realm="http://{proxy.host}/token",scope="repository:other/debian:pull"'
        proxy.set(
            Fault("/token", status=200, body='{"token": "abc"}'),
            Fault("/debian/", status=401, headers={"WWW-Authenticate": realm}, times=2),
        )
        asked(f"{proxy.host}/debian:demo", settings_for(demo_registry), read_all)
        first, second = [each["path"] for each in proxy.log() if "/token" in each["path"]]
        assert "other" not in first
        assert "repository%3Adebian%3Apull" in second
        assert "repository%3Aother%2Fdebian%3Apull" in second


def test_answers_of_token_servers(demo_registry: RegistryServer) -> None:
    """A token server that fails for a while is asked again; nonsense is an error."""
    with fault_proxy(demo_registry.host) as proxy:
        realm = f'Bearer realm="http://{proxy.host}/token"'
        refusal = Fault("/debian/", status=401, headers={"WWW-Authenticate": realm}, times=1)
        token = Fault("/token", status=200, body='{"access_token": "abc"}')
        proxy.set(Fault("/token", status=503, times=2), token, refusal)
        asked(f"{proxy.host}/debian:demo", settings_for(demo_registry), read_all)
        assert proxy.log()[-1]["headers"]["authorization"] == "Bearer abc"
        for body in ("", "[]", '{"token": 5}', '{"token": "a\\r\\nb"}', '{"token": ""}'):
            proxy.set(Fault("/token", status=200, body=body), refusal)
            with pytest.raises(RegistryError, match="gives no token"):
                asked(f"{proxy.host}/debian:demo", settings_for(demo_registry), read_all)
