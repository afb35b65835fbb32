"""`rootless pull` from Debian's docker-registry: what comes, by which name, what is asked."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import images
import loading
import pulling
import pytest
from executable import Rootless
from registries import RegistryServer, certs_d, fill

LAYERS = [images.small_layer(), images.LayerBuilder().file("two", b"2" * 5000)]


@pytest.fixture
def plain(rootless: Rootless, plain_registry: RegistryServer, tmp_path: Path) -> RegistryServer:
    """A registry that the user trusts, with an image of two layers, `app:1`."""
    pulling.trust(rootless.home, plain_registry.host)
    pulling.put(plain_registry, "app:1", LAYERS, tmp_path)
    return plain_registry


def asked(server: RegistryServer, since: int = 0) -> list[str]:
    """Return what was asked for, by method and path, without who asks whether it is a registry."""
    lines = [" ".join(line.split()[:2]) for line in server.access_log()[since:]]
    return [line for line in lines if line != "GET /v2/"]


def manifest_of(server: RegistryServer, name: str, tag: str) -> tuple[bytes, str]:
    """Return a manifest and its digest out of a registry."""
    request = urllib.request.Request(f"{server.url}/v2/{name}/manifests/{tag}")
    request.add_header("Accept", f"{images.MANIFEST_TYPE}, {images.INDEX_TYPE}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read(), answer.headers["Docker-Content-Digest"]


def put_manifest(
    server: RegistryServer, name: str, document: object, media_type: str, tag: str
) -> None:
    """Put a manifest into a registry."""
    request = urllib.request.Request(
        f"{server.url}/v2/{name}/manifests/{tag}", json.dumps(document).encode(), method="PUT"
    )
    request.add_header("Content-Type", media_type)
    urllib.request.urlopen(request, timeout=10).close()


def test_an_image(rootless: Rootless, plain: RegistryServer) -> None:
    """Its ID is printed, its name is the full one, and its manifest is kept as it came."""
    name = f"{plain.host}/app:1"
    printed = rootless.ok("pull", name)
    shown = json.loads(rootless.ok("inspect", name))[0]
    data, digest = manifest_of(plain, "app", "1")
    assert printed == f"{shown['Id']}\n"
    assert shown["RepoTags"] == [name]
    assert shown["RepoDigests"] == [f"{plain.host}/app@{digest}"]
    assert (rootless.home.store / "blobs/sha256" / digest[7:]).read_bytes() == data
    pulling.is_whole(rootless, name)
    assert digest in rootless.ok("images", "--digests")


def test_what_is_there_is_not_asked_for(rootless: Rootless, plain: RegistryServer) -> None:
    """The second pull asks for a digest only; another tag of the same image, for nothing more."""
    rootless.ok("pull", f"{plain.host}/app:1")
    fill(plain, f"docker://{plain.host}/app:1", "app:same", "--src-tls-verify=false")
    since = len(plain.access_log())
    rootless.ok("pull", f"{plain.host}/app:1")
    rootless.ok("pull", f"docker://{plain.host}/app:same")
    assert asked(plain, since) == ["HEAD /v2/app/manifests/1", "HEAD /v2/app/manifests/same"]
    pulling.is_whole(rootless, f"{plain.host}/app:same")


def test_by_digest(rootless: Rootless, plain: RegistryServer) -> None:
    """An image that was pulled by its digest is there by it, and nobody is asked again."""
    _, digest = manifest_of(plain, "app", "1")
    name = f"{plain.host}/app@{digest}"
    image_id = rootless.ok("pull", name)
    since = len(plain.access_log())
    assert rootless.ok("pull", name) == image_id
    assert asked(plain, since) == []
    table = rootless.ok("images", "--digests").splitlines()[1]
    assert table.split()[:3] == [f"{plain.host}/app", "<none>", digest]
    pulling.is_whole(rootless, name)


@pytest.mark.parametrize(
    "words",
    [
        ("--format", "v2s2"),
        ("--format", "oci"),
        ("--format", "oci", "--dest-compress-format", "zstd"),
    ],
    ids=["docker", "oci", "zstd"],
)
def test_forms(
    rootless: Rootless, plain_registry: RegistryServer, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Docker's and OCI's media types, and either compression, give the same layers."""
    pulling.trust(rootless.home, plain_registry.host)
    name = f"form-{'-'.join(word.strip('-') for word in words)}:1"
    pulling.put(plain_registry, name, LAYERS, tmp_path, *words)
    rootless.ok("pull", f"{plain_registry.host}/{name}")
    shown = json.loads(rootless.ok("inspect", f"{plain_registry.host}/{name}"))[0]
    tars = [images.layer_tar(layer) for layer in LAYERS]
    assert shown["RootFS"]["Layers"] == [images.digest(tar) for tar in tars]
    pulling.is_whole(rootless, f"{plain_registry.host}/{name}")


@pytest.fixture
def many(rootless: Rootless, plain_registry: RegistryServer, tmp_path: Path) -> RegistryServer:
    """A registry with an index of two platforms, `multi:1`."""
    pulling.trust(rootless.home, plain_registry.host)
    lines = []
    for architecture in ("amd64", "arm64"):
        config = json.loads(images.image_config(LAYERS)) | {"architecture": architecture}
        folder = tmp_path / architecture
        layout = images.Layout(folder)
        layout.add_image(LAYERS, tag="image", config_bytes=json.dumps(config).encode())
        fill(plain_registry, f"oci:{folder}:image", f"multi:{architecture}")
        data, digest = manifest_of(plain_registry, "multi", architecture)
        platform = {"os": "linux", "architecture": architecture}
        lines.append({"mediaType": images.MANIFEST_TYPE, "digest": digest, "size": len(data)})
        lines[-1]["platform"] = platform
    document = {"schemaVersion": 2, "mediaType": images.INDEX_TYPE, "manifests": lines}
    put_manifest(plain_registry, "multi", document, images.INDEX_TYPE, "1")
    return plain_registry


@pytest.mark.parametrize(
    ("words", "architecture"),
    [
        (("--platform", "linux/arm64"), "arm64"),
        (("--arch", "arm64"), "arm64"),
        (("--os", "linux", "--arch", "arm64", "--variant", "v8"), "arm64"),
        (("--platform", "linux/amd64"), "amd64"),
    ],
)
def test_platforms(
    rootless: Rootless, many: RegistryServer, words: tuple[str, ...], architecture: str
) -> None:
    """The image for the platform is taken; it answers to the index's digest and its own."""
    name = f"{many.host}/multi:1"
    image_id = rootless.ok("pull", *words, name)
    assert json.loads(rootless.ok("inspect", name))[0]["Architecture"] == architecture
    since = len(many.access_log())
    for tag in ("1", architecture):
        _, digest = manifest_of(many, "multi", tag)
        by_digest = f"{many.host}/multi@{digest}"
        assert rootless.ok("pull", *words, by_digest) == image_id
        assert json.loads(rootless.ok("inspect", by_digest))[0]["Id"] == image_id.strip()
    assert [line for line in asked(many, since) if "blobs" in line or "HEAD" in line] == []


def test_no_such_platform(rootless: Rootless, many: RegistryServer) -> None:
    """A platform that an index has not is an error that says what it has."""
    name = f"{many.host}/multi:1"
    says = "image has no manifest for the platform: linux/s390x (it has linux/amd64, linux/arm64)"
    pulling.one_line(rootless, "pull", "--arch", "s390x", name, says=says)
    says = "image is not for the platform: linux/arm64 (it is for linux/amd64)"
    amd = f"{many.host}/multi:amd64"
    pulling.one_line(rootless, "pull", "--platform", "linux/arm64", amd, says=says)
    says = "the platform is given twice"
    words = ("pull", "--platform", "linux/arm64", "--arch", "arm64", name)
    pulling.one_line(rootless, *words, says=says)


def test_all_tags(rootless: Rootless, plain: RegistryServer, tmp_path: Path) -> None:
    """Every tag of a repository comes, and an ID for each is printed."""
    for tag in ("a", "b"):
        layer = images.LayerBuilder().file(tag, tag.encode())
        pulling.put(plain, f"tags:{tag}", [layer], tmp_path / tag)
    printed = rootless.ok("pull", "--all-tags", f"{plain.host}/tags").splitlines()
    assert len(set(printed)) == 2
    named = rootless.ok("images", f"{plain.host}/tags")
    assert all(tag in [line.split()[1] for line in named.splitlines()] for tag in ("a", "b"))
    says = "a tag has no meaning with --all-tags"
    pulling.one_line(rootless, "pull", "-a", f"{plain.host}/tags:a", says=says)


def test_short_names(
    rootless: Rootless, plain: RegistryServer, basic_registry: RegistryServer
) -> None:
    """A short name is looked for where registries.conf says; who lets nobody in is passed over."""
    hosts = (basic_registry.host, plain.host)
    pulling.trust(rootless.home, *hosts, search=hosts)
    rootless.ok("pull", "app:1")
    line = pulling.one_line(rootless, "pull", "nosuch", says="no such image in any registry")
    assert all(host in line for host in hosts)
    assert json.loads(rootless.ok("inspect", "app:1"))[0]["RepoTags"] == [f"{plain.host}/app:1"]


def test_credentials(rootless: Rootless, basic_registry: RegistryServer, tmp_path: Path) -> None:
    """The password of the command line opens the door; a wrong one does not, and is not shown."""
    server = basic_registry
    pulling.trust(rootless.home, server.host)
    pulling.put(server, "private/app:1", LAYERS, tmp_path)
    name = f"{server.host}/private/app:1"
    pulling.one_line(rootless, "pull", name, says="log in with `rootless login")
    line = pulling.one_line(rootless, "pull", "--creds", "eve:s3cr3t", name, says=server.host)
    assert "s3cr3t" not in line
    says = "--creds has no password: alice"
    pulling.one_line(rootless, "pull", "--creds", "alice", name, says=says)
    rootless.ok("pull", "--creds", f"{server.user}:{server.password}", name)


def test_certificates(rootless: Rootless, tls_registry: RegistryServer, tmp_path: Path) -> None:
    """A registry of a CA of its own is trusted by --cert-dir, or taken as it is when told so."""
    pulling.put(tls_registry, "app:1", LAYERS, tmp_path)
    name = f"{tls_registry.host}/app:1"
    pulling.one_line(rootless, "pull", name, says="certificate")
    folder = certs_d(tls_registry) / tls_registry.host
    rootless.ok("pull", "--cert-dir", str(folder), name)
    rootless.ok("rmi", "--all")
    rootless.ok("pull", "--tls-verify=false", name)
    pulling.one_line(rootless, "pull", "--tls-verify=maybe", name, says="takes true or false")


def _artifact(server: RegistryServer) -> str:
    data, _ = manifest_of(server, "app", "1")
    document = json.loads(data)
    document["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
    put_manifest(server, "app", document, images.MANIFEST_TYPE, "artifact")
    return "artifact"


def _encrypted(server: RegistryServer) -> str:
    data, _ = manifest_of(server, "app", "1")
    document = json.loads(data)
    document["layers"][0]["mediaType"] += "+encrypted"
    put_manifest(server, "app", document, images.MANIFEST_TYPE, "encrypted")
    return "encrypted"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_artifact, "not a container image but an artifact: application/vnd.cncf.helm"),
        (_encrypted, "layer is encrypted"),
    ],
    ids=["artifact", "encrypted"],
)
def test_what_is_no_image(
    rootless: Rootless, plain: RegistryServer, make: Callable[[RegistryServer], str], says: str
) -> None:
    """What cannot run is refused with the reason, and no layer of it is fetched."""
    tag = make(plain)
    since = len(plain.access_log())
    pulling.one_line(rootless, "pull", f"{plain.host}/app:{tag}", says=says)
    layer = images.digest(images.COMPRESSORS["gzip"](images.layer_tar(LAYERS[0])))
    assert not any(layer in line for line in asked(plain, since))


def test_files(rootless: Rootless, tmp_path: Path) -> None:
    """Layouts and archives by their prefix go the way of `load`, and their ID is printed."""
    layout = images.oci_layout(tmp_path / "layout", LAYERS, tag="good")
    archive = images.docker_archive(tmp_path / "a.tar", LAYERS, names=["other:1"])
    printed = rootless.ok("pull", f"oci:{layout}:good", f"docker-archive:{archive}")
    ids = [line.split()[2] for line in rootless.ok("images").splitlines()[1:]]
    assert {line[:12] for line in printed.split()} == set(ids)
    assert loading.temp_files(rootless.home.store) == []
    for source in ("containers-storage:x", "docker-daemon:x", "dir:x"):
        pulling.one_line(rootless, "pull", source, says="no image comes from there")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nosuchhost.invalid/app", "host name is not known"),
        ("127.0.0.1:1/app", "Connection refused"),
        ("{host}/nosuch", "no such image in the registry"),
        ("{host}/app:nosuch", "no such image in the registry"),
        ("docker.io/NotLower", "must be lower case"),
        ("", "image name is empty"),
    ],
)
def test_one_line_says_why(rootless: Rootless, plain: RegistryServer, name: str, says: str) -> None:
    """Whatever is wrong with a name or the network is one line."""
    pulling.one_line(rootless, "pull", "--retry=0", name.format(host=plain.host), says=says)


def test_progress_as_json(rootless: Rootless, plain: RegistryServer) -> None:
    """Each line on stderr is an object; the last of a layer says that it is done."""
    name = f"{plain.host}/app:1"
    result = rootless("pull", "--progress", "json", name)
    assert result.status == 0
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert {"message": f"pulling {name}"} in lines
    last = {line["layer"]: line for line in lines if "layer" in line}
    assert len(last) == 2
    assert all(line["state"] == "done" for line in last.values())
    assert all(line["bytes"] == line["total"] for line in last.values())


def test_progress(rootless: Rootless, plain: RegistryServer) -> None:
    """In a pipe nothing is shown unless it is asked for; a terminal shows bars."""
    name = f"{plain.host}/app:1"
    result = rootless("pull", name)
    assert (result.status, result.stderr) == (0, "")
    rootless.ok("rmi", "--all")
    lines = rootless("pull", "--progress", "plain", name).stderr.splitlines()
    assert lines[0] == f"rootless: pulling {name}"
    assert sum(": done, " in line for line in lines) == 2
    rootless.ok("rmi", "--all")
    shown = loading.on_terminal(rootless, "pull", name)
    assert "layer " in shown.stderr
    rootless.ok("rmi", "--all")
    assert loading.on_terminal(rootless, "pull", "-q", name).stderr == ""
    pulling.one_line(rootless, "pull", "--progress", "tune", name, says="no such form of progress")


@pytest.mark.both_users
@pytest.mark.parametrize("words", [("--layers-at-once", "1"), ("--layers-at-once", "16")])
def test_options_of_the_download(
    rootless: Rootless, plain: RegistryServer, words: tuple[str, ...]
) -> None:
    """However many layers come at once, they are the same."""
    rootless.ok("pull", *words, "--retry=1", "--retry-delay=100ms", f"{plain.host}/app:1")
    pulling.is_whole(rootless, f"{plain.host}/app:1")
    for wrong in ("0", "17", "x"):
        words = ("pull", "--layers-at-once", wrong, f"{plain.host}/app:1")
        pulling.one_line(rootless, *words, says="--layers-at-once takes a number from 1 to 16")
