"""The registries of the tests themselves: skopeo, which is another client, gets along with them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import images
import pytest
from registries import RegistryServer, certs_d, fill, registry


@pytest.fixture
def layout(tmp_path: Path) -> str:
    """A small image, as skopeo names it."""
    images.oci_layout(tmp_path / "layout", [images.small_layer()], tag="small")
    return f"oci:{tmp_path}/layout:small"


def inspected(server: RegistryServer, name: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Ask skopeo for an image's manifest."""
    return subprocess.run(
        ["skopeo", "inspect", "--raw", *words, f"docker://{server.host}/{name}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tls": {"tls": True},
    "basic": {"auth": "htpasswd"},
    "token": {"auth": "token"},
    "token and TLS": {"auth": "token", "tls": True},
    "client certificate": {"tls": True, "client_certificates": True},
}


@pytest.fixture(scope="module", params=FORMS.values(), ids=FORMS)
def any_registry(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RegistryServer]:
    """Each form, empty."""
    with registry(tmp_path_factory.mktemp("registry") / "any", **request.param) as server:
        yield server


def test_every_form_takes_an_image(any_registry: RegistryServer, layout: str) -> None:
    """An image is brought into each and found there, by who has the right password only."""
    server = any_registry
    fill(server, layout, "private/small:1")
    trusted = () if not server.tls else (f"--cert-dir={certs_d(server) / server.host}",)
    if not server.tls:
        trusted = ("--tls-verify=false",)
    assert (inspected(server, "private/small:1", *trusted).returncode == 0) == (not server.user)
    creds = [f"--creds={server.user}:{server.password}"] if server.user else []
    assert '"layers"' in inspected(server, "private/small:1", *trusted, *creds).stdout
    if creds:
        wrong = inspected(server, "private/small:1", *trusted, f"--creds={server.user}:wrong")
        assert wrong.returncode != 0
    if server.tls:
        assert inspected(server, "private/small:1").returncode != 0
    if (server.folder / "client.cert").exists():
        assert inspected(server, "private/small:1", "--tls-verify=false").returncode != 0


def test_public_repositories_need_no_password(token_registry: RegistryServer, layout: str) -> None:
    """An anonymous token pulls `public/…`, and the notes say who asked."""
    fill(token_registry, layout, "public/small:1")
    assert inspected(token_registry, "public/small:1", "--tls-verify=false").returncode == 0
    assert token_registry.token_requests()[-1]["user"] == ""
    assert token_registry.token_requests()[-1]["scopes"] == ["repository:public/small:pull"]


def test_a_failing_block_ends_the_registry(tmp_path: Path) -> None:
    """Whatever happens inside, the programs are gone afterwards."""
    with pytest.raises(ZeroDivisionError), registry(tmp_path / "r", auth="token") as server:
        raise ZeroDivisionError
    assert server.process.returncode is not None


def test_the_demo_image_is_there(demo_registry: RegistryServer) -> None:
    """The demo image has been filled in, and the access log tells of it."""
    said = inspected(demo_registry, "debian:demo", "--tls-verify=false").stdout
    assert said.count('"digest"') == 4
    assert any(
        line.startswith("PUT /v2/debian/manifests/demo") for line in demo_registry.access_log()
    )
