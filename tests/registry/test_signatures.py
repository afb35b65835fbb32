"""Signed images in a real registry: `rootless` takes them or not.

Signed here as cosign does it, since Debian's skopeo and podman have sigstore left out.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import images
import pytest
import signing
from executable import Rootless
from registries import RegistryServer, fill
from signing import Signer

PLAIN = ("--tls-verify=false", "--quiet")


@dataclass(frozen=True)
class Publisher:
    """Somebody who signs images in a registry.

    Attributes:
        server: The registry.
        folder: The keys: `cosign.pub`, and `other.pub`, which has signed nothing.
        signer: Who signs.
    """

    server: RegistryServer
    folder: Path
    signer: Signer

    @property
    def key(self) -> Path:
        """The public key."""
        return self.folder / "cosign.pub"

    def publish(self, name: str, *, is_signed: bool = True) -> str:
        """Push an image of its own, signed or not; return its full name."""
        layout = self.folder / name.replace("/", "-").replace(":", "-")
        layer = images.LayerBuilder().file("name", name.encode())
        images.oci_layout(layout, [layer], tag="x")
        fill(self.server, f"oci:{layout}:x", name)
        full = f"{self.server.host}/{name}"
        if is_signed:
            digest = self.digest(name)
            payload = signing.payload(full, digest)
            repository = name.rpartition(":")[0]
            signature = self.simple(repository, payload, self.signer.sign(payload))
            self.attach(repository, digest, [signature])
        return full

    def digest(self, name: str) -> str:
        """Return the digest of an image's manifest."""
        path = f"/v2/{name.rpartition(':')[0]}/manifests/{name.rpartition(':')[2]}"
        accept = {"Accept": f"{images.MANIFEST_TYPE}, {images.INDEX_TYPE}"}
        answer = httpx.head(self.server.url + path, headers=accept)
        assert answer.status_code == 200
        return str(answer.headers["docker-content-digest"])

    def attach(self, repository: str, digest: str, signatures: Sequence[dict[str, Any]]) -> None:
        """Put a manifest of signatures where cosign has it."""
        tag = digest.replace(":", "-") + ".sig"
        config = self.blob(repository, b"{}", images.CONFIG_TYPE)
        self.put(repository, tag, {"config": config, "layers": signatures})

    def simple(self, repository: str, payload: bytes, value: bytes) -> dict[str, Any]:
        """Upload a payload; return its descriptor with the signature."""
        kept = signing.Repository().layer(payload, value)
        return kept | self.blob(repository, payload, kept["mediaType"])

    def blob(self, repository: str, content: bytes, media_type: str) -> dict[str, Any]:
        """Upload a blob; return its descriptor."""
        digest = images.digest(content)
        begun = httpx.post(f"{self.server.url}/v2/{repository}/blobs/uploads/")
        address = httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest})
        done = httpx.put(address, content=content)
        assert done.status_code == 201, done.text
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def put(
        self, repository: str, tag: str, document: dict[str, Any], kind: str = images.MANIFEST_TYPE
    ) -> str:
        """Upload a manifest or an index; return its digest."""
        data = json.dumps({"schemaVersion": 2, "mediaType": kind} | document).encode()
        url = f"{self.server.url}/v2/{repository}/manifests/{tag or images.digest(data)}"
        done = httpx.put(url, content=data, headers={"Content-Type": kind})
        assert done.status_code == 201, done.text
        return images.digest(data)


@pytest.fixture(scope="module")
def publisher(
    plain_registry: RegistryServer, tmp_path_factory: pytest.TempPathFactory
) -> Publisher:
    """Somebody with a key."""
    folder = tmp_path_factory.mktemp("publisher")
    signer = Signer.make()
    (folder / "cosign.pub").write_bytes(signer.pem)
    (folder / "other.pub").write_bytes(Signer.make().pem)
    (folder / "cosign.key").write_text("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n")
    return Publisher(plain_registry, folder, signer)


def refused(rootless: Rootless, *words: str | Path) -> str:
    """Run a command that takes no image; return its one line."""
    before = rootless.ok("images", "-q") if rootless.home.store.exists() else ""
    result = rootless(*words)
    assert (result.status, result.stdout) == (125, "")
    assert result.stderr.count("\n") == 1
    if rootless.home.store.exists():
        assert rootless.ok("images", "-q") == before
    return result.stderr


def written(path: Path, default: Any, **transports: Any) -> Path:
    """Write a policy."""
    path.write_text(json.dumps({"default": default, "transports": transports}))
    return path


REJECT = [{"type": "reject"}]
ACCEPT = [{"type": "insecureAcceptAnything"}]


def test_a_signed_image(publisher: Publisher, rootless: Rootless, tmp_path: Path) -> None:
    """It is taken by the key, and by a policy that wants the key for this repository."""
    name = publisher.publish("signed/app:1")
    rootless.ok("pull", *PLAIN, "--verify-key", publisher.key, name)
    required = [{"type": "sigstoreSigned", "keyPath": str(publisher.key)}]
    scopes = {f"{publisher.server.host}/signed": required}
    policy = written(tmp_path / "policy.json", REJECT, docker=scopes)
    rootless.ok("pull", *PLAIN, "--signature-policy", policy, name)
    other = publisher.publish("elsewhere/app:1")
    line = refused(rootless, "pull", *PLAIN, "--signature-policy", policy, other)
    assert "signature policy refuses the image: " in line


def test_another_key(publisher: Publisher, rootless: Rootless) -> None:
    """The image is not taken; with several keys, one is enough."""
    name = publisher.publish("key/app:1")
    other = publisher.folder / "other.pub"
    line = refused(rootless, "pull", *PLAIN, "--verify-key", other, name)
    assert f"one is not by the key: {other}" in line
    both = ("--verify-key", other, "--verify-key", publisher.key)
    rootless.ok("pull", *PLAIN, *both, name)


def test_an_image_without_a_signature(publisher: Publisher, rootless: Rootless) -> None:
    """The error says so; without the option it is taken."""
    name = publisher.publish("unsigned/app:1", is_signed=False)
    line = refused(rootless, "pull", *PLAIN, "--verify-key", publisher.key, name)
    assert f"image is not signed: {name}" in line
    rootless.ok("pull", *PLAIN, name)


def test_a_signature_of_another_image(publisher: Publisher, rootless: Rootless) -> None:
    """Moved beside another image of its repository, or with its image under another name."""
    publisher.publish("moved/good:1")
    good = publisher.digest("moved/good:1")
    payload = signing.payload(f"{publisher.server.host}/moved/good:1", good)
    value = publisher.signer.sign(payload)
    bad = publisher.publish("moved/good:2", is_signed=False)
    digest = publisher.digest("moved/good:2")
    signature = publisher.simple("moved/good", payload, value)
    publisher.attach("moved/good", digest, [signature])
    line = refused(rootless, "pull", *PLAIN, "--verify-key", publisher.key, bad)
    assert f"one is of another image: {good}" in line

    layout = publisher.folder / "moved-good-1"
    fill(publisher.server, f"oci:{layout}:x", "moved/renamed:1")
    publisher.attach("moved/renamed", good, [publisher.simple("moved/renamed", payload, value)])
    renamed = f"{publisher.server.host}/moved/renamed:1"
    line = refused(rootless, "pull", *PLAIN, "--verify-key", publisher.key, renamed)
    assert f"one is for another name: {publisher.server.host}/moved/good:1" in line


@pytest.mark.parametrize("content", [b"garbage", b"x" * (1 << 20)], ids=["garbage", "huge"])
def test_what_is_no_signature(publisher: Publisher, rootless: Rootless, content: bytes) -> None:
    """It counts for none."""
    repository = f"garbage/app{len(content)}"
    name = publisher.publish(f"{repository}:1", is_signed=False)
    signature = publisher.simple(repository, content, publisher.signer.sign(content))
    publisher.attach(repository, publisher.digest(f"{repository}:1"), [signature])
    line = refused(rootless, "pull", *PLAIN, "--verify-key", publisher.key, name)
    assert "image has no signature that is accepted" in line


def test_a_bundle_that_refers_to_the_image(publisher: Publisher, rootless: Rootless) -> None:
    """Found in the index of referrers that clients keep where a registry has no API for it."""
    name = publisher.publish("bundle/app:1", is_signed=False)
    digest = publisher.digest("bundle/app:1")
    bundle = publisher.signer.bundle(signing.statement(digest))
    document = {
        "artifactType": signing.BUNDLE,
        "config": publisher.blob("bundle/app", b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [publisher.blob("bundle/app", bundle, signing.BUNDLE)],
    }
    own = publisher.put("bundle/app", "", document)
    size = len(json.dumps({"schemaVersion": 2, "mediaType": images.MANIFEST_TYPE} | document))
    entry = {
        "mediaType": images.MANIFEST_TYPE,
        "digest": own,
        "size": size,
        "artifactType": signing.BUNDLE,
    }
    tag = digest.replace(":", "-")
    publisher.put("bundle/app", tag, {"manifests": [entry]}, images.INDEX_TYPE)
    rootless.ok("pull", *PLAIN, "--verify-key", publisher.key, name)
    other = publisher.folder / "other.pub"
    refused(rootless, "pull", *PLAIN, "--verify-key", other, name)


def test_a_signed_index(publisher: Publisher, rootless: Rootless) -> None:
    """Cosign signs what the tag leads to: an index speaks for its manifests."""
    publisher.publish("many/app:amd64", is_signed=False)
    digest = publisher.digest("many/app:amd64")
    url = f"{publisher.server.url}/v2/many/app/manifests/{digest}"
    manifest = httpx.get(url, headers={"Accept": images.MANIFEST_TYPE}).content
    entry = {
        "mediaType": images.MANIFEST_TYPE,
        "digest": digest,
        "size": len(manifest),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    index = publisher.put("many/app", "1", {"manifests": [entry]}, images.INDEX_TYPE)
    name = f"{publisher.server.host}/many/app:1"
    platform = ("--platform", "linux/amd64")
    refused(rootless, "pull", *PLAIN, *platform, "--verify-key", publisher.key, name)
    payload = signing.payload(name, index)
    signature = publisher.simple("many/app", payload, publisher.signer.sign(payload))
    publisher.attach("many/app", index, [signature])
    rootless.ok("pull", *PLAIN, *platform, "--verify-key", publisher.key, name)


def test_an_image_that_is_in_the_store(publisher: Publisher, rootless: Rootless) -> None:
    """It may have come unsigned: the registry is asked all the same, or the image refused."""
    name = publisher.publish("stored/app:1", is_signed=False)
    image_id = rootless.ok("pull", *PLAIN, name).strip()
    key = ("--verify-key", publisher.key)
    for words in (
        ("run", *PLAIN, *key, name, "true"),
        ("create", *PLAIN, *key, name, "true"),
        ("pull", *PLAIN, "--policy=missing", *key, name),
        ("pull", *PLAIN, *key, name),
    ):
        assert f"image is not signed: {name}" in refused(rootless, *words)
    never = refused(rootless, "run", *PLAIN, "--pull=never", *key, name, "true")
    assert "image has no signature to be verified" in never
    by_id = refused(rootless, "run", *PLAIN, *key, image_id, "true")
    assert "image has no signature to be verified" in by_id


def test_an_image_in_a_file(publisher: Publisher, rootless: Rootless, tmp_path: Path) -> None:
    """It has no signature, and does not take the place of the image that was meant."""
    name = publisher.publish("file/app:1")
    rootless.ok("pull", *PLAIN, name)
    rootless.ok("pack", name, tmp_path / "app")
    rootless.ok("rmi", name)
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    (tmp_path / "app").rename(file)
    for image in (name, f"./{name}", str(file)):
        words = rootless.command("run", *PLAIN, "--verify-key", publisher.key, image, "true")
        done = subprocess.run(
            words, cwd=tmp_path, env=rootless.home.environ, capture_output=True, check=False
        )
        assert done.returncode == 125
        assert b"image has no signature to be verified" in done.stderr


def test_folders_and_archives(publisher: Publisher, rootless: Rootless, tmp_path: Path) -> None:
    """They have no signatures; a policy may reject or accept them."""
    layout = images.oci_layout(tmp_path / "layout", [images.small_layer()])
    docker = images.docker_archive(tmp_path / "docker.tar", [images.small_layer()])
    line = refused(rootless, "pull", "--verify-key", publisher.key, f"oci:{layout}")
    assert "image has no signature to be verified" in line
    scopes = {"": REJECT, str(tmp_path): ACCEPT}
    policy = written(tmp_path / "policy.json", REJECT, oci=scopes)
    line = refused(rootless, "load", "--signature-policy", policy, docker)
    assert (
        f"signature policy refuses the image: {docker} ({policy}: it rejects such images)" in line
    )
    refused(rootless, "pull", "--signature-policy", policy, f"docker-archive:{docker}")
    rootless.ok("load", "--signature-policy", policy, layout)
    rootless.ok("load", docker)


def test_copies(publisher: Publisher, rootless: Rootless, tmp_path: Path) -> None:
    """The source is checked before anything is written; the store's images have no signatures."""
    name = publisher.publish("copied/app:1")
    source = ("--src-tls-verify=false", "--quiet", f"docker://{name}")
    other = publisher.folder / "other.pub"
    for destination in (f"oci:{tmp_path}/out:x", "copied"):
        refused(rootless, "copy", "--verify-key", other, *source, destination)
    assert list(tmp_path.iterdir()) == []
    for destination in (f"oci:{tmp_path}/out:x", "copied"):
        rootless.ok("copy", "--verify-key", publisher.key, *source, destination)
    for place in (f"oci:{tmp_path}/out:x", "copied"):
        words = ("--verify-key", publisher.key, place, f"dir:{tmp_path}/again")
        line = refused(rootless, "copy", *words)
        assert "image has no signature to be verified" in line
    policy = written(tmp_path / "policy.json", REJECT, docker={"": ACCEPT})
    place = f"oci:{tmp_path}/out:x"
    refused(rootless, "copy", "--signature-policy", policy, place, f"dir:{tmp_path}/again")
    rootless.ok("copy", "--signature-policy", policy, *source, f"dir:{tmp_path}/again")


def test_the_users_own_policy(publisher: Publisher, rootless: Rootless) -> None:
    """It holds without an option; one that is damaged stops everything."""
    name = publisher.publish("own/app:1")
    path = Path(rootless.home.environ["HOME"], ".config/containers/policy.json")
    path.parent.mkdir(parents=True)
    written(path, REJECT)
    assert f"({path}: it rejects such images)" in refused(rootless, "pull", *PLAIN, name)
    written(path, [{"type": "rejct"}])
    assert "unknown requirement 'rejct'" in refused(rootless, "pull", *PLAIN, name)
    written(path, ACCEPT)
    rootless.ok("pull", *PLAIN, name)


def test_keys_that_are_none(publisher: Publisher, rootless: Rootless) -> None:
    """They are refused before a registry is asked."""
    key = publisher.folder / "cosign.key"
    line = refused(rootless, "pull", *PLAIN, "--verify-key", key, "r.invalid/x")
    assert "this is a private key" in line
    line = refused(rootless, "pull", *PLAIN, "--verify-key", "gone.pub", "r.invalid/x")
    assert "no such key file: gone.pub" in line
