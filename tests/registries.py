"""Debian's docker-registry in all its forms, on loopback, ended with the test module.

`registry(folder, …)` starts one and gives where it is; the fixtures at the end are the usual forms,
one a module, empty but for `demo_registry`; conftest.py has them for every test. Ask for one by its
name: what a test takes by `request.getfixturevalue` looks like a leak. `fill` brings an OCI layout
in by skopeo.

A registry's names hold its port: `127.0.0.1:PORT/NAME`. For TLS it has a certificate of a CA of its
own (`ca`), which no one trusts: `certs_d` makes a folder that does, as /etc/containers/certs.d.
"""

import contextlib
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from token_server import ISSUER, PASSWORD, SERVICE, USER

# of PASSWORD by bcrypt, the only form that docker-registry takes
_HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n"


@dataclass(frozen=True, slots=True)
class RegistryServer:
    """A running registry.

    Attributes:
        host: `127.0.0.1:PORT`, the domain of its images' names.
        folder: What it keeps, its log and its certificates.
        tls: Whether it speaks TLS; `ca`, and `client.cert` and `client.key`, are in the folder.
        user: Who may do everything; empty without authentication.
        password: His.
        process: The program; a test may end it, and must not expect it to come back.
    """

    host: str
    folder: Path
    tls: bool
    user: str
    password: str
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """The URL without a path."""
        return f"{'https' if self.tls else 'http'}://{self.host}"

    @property
    def ca(self) -> Path:
        """The CA's certificate, PEM."""
        return self.folder / "ca.crt"

    @property
    def blobs(self) -> Path:
        """Where it keeps blobs: `HH/HEX/data`."""
        return self.folder / "data/docker/registry/v2/blobs/sha256"

    def access_log(self) -> list[str]:
        """Return the requests so far: `GET /v2/… HTTP/1.1" 200 …`."""
        return re.findall(r'"((?:GET|HEAD|PUT|POST|PATCH|DELETE) .*)', self._log().read_text())

    def token_requests(self) -> list[dict[str, Any]]:
        """Return what was asked of the token server: `method`, `user`, `scopes`."""
        notes = self.folder / "requests.jsonl"
        return [json.loads(line) for line in notes.read_text().splitlines()]

    def _log(self) -> Path:
        return self.folder / "log"


@contextlib.contextmanager
def registry(
    folder: Path,
    *,
    tls: bool = False,
    auth: str = "",
    client_certificates: bool = False,
    lifetime: int = 300,
    told: int = 300,
    names: Sequence[str] = ("127.0.0.1", "localhost"),
) -> Iterator[RegistryServer]:
    """Give a registry that keeps everything in *folder*, which is made; it ends with the block.

    Args:
        folder: Its own.
        tls: HTTPS, by a certificate of a CA of its own.
        auth: "", "htpasswd" (basic) or "token" (bearer; see `token_server`).
        client_certificates: Nobody without one gets in.
        lifetime: Seconds until the registry takes a token no more.
        told: Seconds that the token server says instead; 0: it says nothing.
        names: What the certificate vouches for.
    """
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        document: dict[str, Any] = {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {
                "filesystem": {"rootdirectory": str(folder / "data")},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": "127.0.0.1:0", "secret": "test"},
        }
        if tls:
            pair = _certificates(folder, names, client_certificates=client_certificates)
            document["http"]["tls"] = pair
        if auth == "htpasswd":
            (folder / "htpasswd").write_text(_HTPASSWD)
            document["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
        elif auth == "token":
            port = stack.enter_context(_token_server(folder, lifetime, told))
            document["auth"] = {
                "token": {
                    "realm": f"http://127.0.0.1:{port}/token",
                    "service": SERVICE,
                    "issuer": ISSUER,
                    "rootcertbundle": str(folder / "tokens.crt"),
                }
            }
        (folder / "config.yml").write_text(json.dumps(document))  # JSON is YAML
        process = stack.enter_context(_served(folder))
        port = _listening(folder / "log", process)
        user, password = (USER, PASSWORD) if auth else ("", "")
        yield RegistryServer(f"127.0.0.1:{port}", folder, tls, user, password, process)


def fill(server: RegistryServer, source: str, name: str, *words: str) -> None:
    """Copy an image into a registry by skopeo.

    Args:
        server: The registry.
        source: skopeo's name of it: `oci:DIR:TAG`.
        name: Repository and tag.
        words: Further options of `skopeo copy`: `--format`, `--dest-compress-format`.
    """
    options = ["--dest-tls-verify=false"]
    if server.user:
        options.append(f"--dest-creds={server.user}:{server.password}")
    if (server.folder / "client.cert").exists():
        options.append(f"--dest-cert-dir={certs_d(server) / server.host}")
    done = subprocess.run(
        ["skopeo", "copy", "-q", *options, *words, source, f"docker://{server.host}/{name}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def certs_d(server: RegistryServer) -> Path:
    """Return a folder as /etc/containers/certs.d, for `--cert-dir` with the host's name added."""
    folder = server.folder / "certs.d" / server.host
    if not folder.exists():
        folder.mkdir(parents=True)
        for name in ("ca.crt", "client.cert", "client.key"):
            if (server.folder / name).exists():
                shutil.copy(server.folder / name, folder)
    return folder.parent


def _certificates(
    folder: Path, names: Sequence[str], *, client_certificates: bool
) -> dict[str, Any]:
    ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
    ca.cert_pem.write_to_path(folder / "ca.crt")
    server = ca.issue_cert(*names, key_type=trustme.KeyType.ECDSA)
    server.private_key_pem.write_to_path(folder / "server.key")
    for pem in server.cert_chain_pems:
        pem.write_to_path(folder / "server.crt", append=True)
    options: dict[str, Any] = {
        "certificate": str(folder / "server.crt"),
        "key": str(folder / "server.key"),
    }
    if client_certificates:
        client = ca.issue_cert("alice@example.org", key_type=trustme.KeyType.ECDSA)
        client.private_key_pem.write_to_path(folder / "client.key")
        client.cert_chain_pems[0].write_to_path(folder / "client.cert")
        options["clientcas"] = [str(folder / "ca.crt")]
    return options


@contextlib.contextmanager
def _token_server(folder: Path, lifetime: int, told: int) -> Iterator[int]:
    """Give the port of a token server whose certificate the registry will know."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .sign(key, hashes.SHA256())
    )
    (folder / "tokens.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    program = Path(__file__).parent / "token_server.py"
    options = [f"--lifetime={lifetime}", f"--told={told}"]
    with subprocess.Popen(
        [sys.executable, program, folder, *options], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextlib.contextmanager
def _served(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environ = {name: os.environ[name] for name in os.environ if not name.startswith("REGISTRY_")}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            ["docker-registry", "serve", folder / "config.yml"],
            stdout=log,
            stderr=log,
            env=environ,
            cwd=folder,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _listening(log: Path, process: "subprocess.Popen[bytes]") -> int:
    """Return the port, when the registry has said it."""
    deadline = time.monotonic() + 20
    while True:
        text = log.read_text()
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", text)
        if found:
            return int(found[1])
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.01)


@pytest.fixture(scope="module")
def plain_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """HTTP, open to everybody, empty."""
    with registry(tmp_path_factory.mktemp("registry") / "plain") as server:
        yield server


@pytest.fixture(scope="module")
def tls_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """HTTPS by a certificate of its own CA, open to everybody, empty."""
    with registry(tmp_path_factory.mktemp("registry") / "tls", tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def basic_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """HTTP with basic authentication, empty."""
    with registry(tmp_path_factory.mktemp("registry") / "basic", auth="htpasswd") as server:
        yield server


@pytest.fixture(scope="module")
def token_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """HTTP with bearer tokens, empty; `public/…` may be pulled without a password."""
    with registry(tmp_path_factory.mktemp("registry") / "token", auth="token") as server:
        yield server


@pytest.fixture(scope="module")
def client_certificate_registry(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RegistryServer]:
    """HTTPS that asks for a certificate of its CA, empty."""
    folder = tmp_path_factory.mktemp("registry") / "client"
    with registry(folder, tls=True, client_certificates=True) as server:
        yield server


@pytest.fixture(scope="module")
def demo_registry(
    tmp_path_factory: pytest.TempPathFactory, demo_image: str
) -> Iterator[RegistryServer]:
    """HTTP, open to everybody, with the demo image as `debian:demo`. Do not change it."""
    with registry(tmp_path_factory.mktemp("registry") / "demo") as server:
        fill(server, f"oci:{demo_image}", "debian:demo")
        yield server
