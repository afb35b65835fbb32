"""`rootless push`: to Debian's docker-registry, judged by skopeo, podman and our own pull."""

import json
import random
import signal
import time
from pathlib import Path

import images
import pytest
from executable import Home, Rootless
from peers import tool
from podman_session import Podman
from registries import RegistryServer, certs_d, fill

INSECURE = "--tls-verify=false"


def image_id(rootless: Rootless, name: str) -> str:
    """Return the image ID."""
    found: str = json.loads(rootless.ok("inspect", name))[0]["Id"]
    return found


def requests(server: RegistryServer, since: int, kind: str) -> list[str]:
    """Return the requests of a kind since there were so many."""
    return [line for line in server.access_log()[since:] if line.startswith(kind)]


@pytest.mark.parametrize("compression", ["", "zstd", "none", "zstd:chunked", "gzip"])
def test_what_was_pushed_is_pulled_as_it_was(
    compression: str, pic: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """Image ID and diff IDs, for skopeo, which verifies every blob, and for our own pull."""
    name = f"{plain_registry.host}/push/{compression.replace(':', '-') or 'default'}:1"
    options = (f"--compression-format={compression}",) if compression else ()
    digest = pic.ok("push", INSECURE, *options, "pic", name).strip()
    words = ("skopeo", "inspect", INSECURE, "--raw", f"docker://{name}")
    assert images.digest(tool(*words).encode()) == digest
    tool("skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{name}", f"dir:{tmp_path}/d")
    other = Rootless(Home.make(tmp_path))
    other.ok("pull", "-q", INSECURE, name)
    assert image_id(other, name) == image_id(pic, "pic")


def test_estargz_is_another_image_of_the_same_files(
    pic: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """Its layers have a table of contents as a member; what is in the files is the same."""
    name = f"{plain_registry.host}/push/estargz:1"
    pic.ok("push", INSECURE, "--compression-format=estargz", "pic", name)
    other = Rootless(Home.make(tmp_path))
    other.ok("pull", "-q", INSECURE, name)
    assert image_id(other, name) != image_id(pic, "pic")


def test_second_push_sends_nothing(pic: Rootless, plain_registry: RegistryServer) -> None:
    """The layers are asked for by what they became the first time, and nothing is compressed."""
    name = f"{plain_registry.host}/second:1"
    first = pic.ok("push", INSECURE, "pic", name)
    since = len(plain_registry.access_log())
    assert pic.ok("push", INSECURE, "pic", name) == first
    assert requests(plain_registry, since, "POST") == []
    assert len(requests(plain_registry, since, "HEAD")) == 3


def test_layers_are_mounted_from_where_they_were_pushed(
    pic: Rootless, plain_registry: RegistryServer
) -> None:
    """Another repository of the registry lends them."""
    pic.ok("push", INSECURE, "pic", f"{plain_registry.host}/lender:1")
    since = len(plain_registry.access_log())
    pic.ok("push", INSECURE, "pic", f"{plain_registry.host}/borrower:1")
    mounted = [line for line in requests(plain_registry, since, "POST") if "mount=" in line]
    assert len(mounted) == 2
    assert all('" 201' in line for line in mounted)
    assert requests(plain_registry, since, "PATCH") == []


def test_pulled_image_keeps_its_digest(
    pic: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """Into another repository of its registry: its own manifest, its own blobs."""
    host = plain_registry.host
    options = ("--compression-format=gzip", "--compression-level=9")
    digest = pic.ok("push", INSECURE, *options, "pic", f"{host}/origin:1")
    other = Rootless(Home.make(tmp_path))
    other.ok("pull", "-q", INSECURE, f"{host}/origin:1")
    since = len(plain_registry.access_log())
    assert other.ok("push", INSECURE, f"{host}/origin:1", f"{host}/fork:2") == digest
    assert requests(plain_registry, since, "PATCH") == []


def test_kept_blobs_go_anywhere_as_they_came(
    rootless: Rootless,
    plain_registry: RegistryServer,
    tls_registry: RegistryServer,
    tmp_path: Path,
) -> None:
    """An image pulled with --keep-compressed has its digest in another registry too."""
    layout = images.oci_layout(tmp_path / "l", [images.small_layer()], tag="x")
    fill(plain_registry, f"oci:{layout}:x", "kept:1")
    name = f"{plain_registry.host}/kept:1"
    rootless.ok("pull", "-q", INSECURE, "--keep-compressed", name)
    digest = images.digest(
        tool("skopeo", "inspect", INSECURE, "--raw", f"docker://{name}").encode()
    )
    folder = certs_d(tls_registry) / tls_registry.host
    pushed = rootless.ok("push", f"--cert-dir={folder}", name, f"{tls_registry.host}/kept:1")
    assert pushed.strip() == digest


def test_image_made_on_a_pulled_one_sends_its_own_layer(
    pic: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """What came from the registry is mounted there."""
    host = plain_registry.host
    pic.ok("push", INSECURE, "--compression-format=gzip", "pic", f"{host}/base:1")
    other = Rootless(Home.make(tmp_path))
    other.ok("pull", "-q", INSECURE, f"{host}/base:1")
    layers = [images.small_layer(), images.LayerBuilder().file("b", b"b" * 300_000)]
    layers.append(images.LayerBuilder().file("own", b"own"))
    archive = images.docker_archive(tmp_path / "own.tar", layers, names=["localhost/own"])
    other.ok("load", "-q", archive)
    since = len(plain_registry.access_log())
    other.ok("push", INSECURE, "own", f"{host}/derived:1")
    posts = requests(plain_registry, since, "POST")
    assert len([line for line in posts if "from=base" in line and '" 201' in line]) == 2
    assert len(requests(plain_registry, since, "PUT")) == 3  # a layer, the config, the manifest


def test_dockers_manifest_and_digest_file(
    pic: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """--format v2s2, --digestfile, and nothing printed with --quiet."""
    name = f"{plain_registry.host}/v2s2:1"
    options = ("-q", "--format", "v2s2", "--digestfile", tmp_path / "digest")
    assert pic.ok("push", INSECURE, *options, "pic", name) == ""
    raw = tool("skopeo", "inspect", INSECURE, "--raw", f"docker://{name}")
    assert images.digest(raw.encode()) == (tmp_path / "digest").read_text()
    assert json.loads(raw)["mediaType"].startswith("application/vnd.docker.")


@pytest.mark.needs_subid
@pytest.mark.needs_user
def test_podman_pulls_what_we_pushed(
    pic: Rootless, plain_registry: RegistryServer, demo_image: str
) -> None:
    """With the same image ID."""
    name = f"{plain_registry.host}/podman:1"
    pic.ok("push", "-q", INSECURE, "pic", name)
    podman = Podman.make(demo_image)
    try:
        podman.ok("pull", "-q", INSECURE, name)
        assert podman.ok("image", "inspect", "-f", "{{.Id}}", name).strip() == image_id(pic, "pic")
    finally:
        podman.close()


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_registry_with_a_password(
    kind: str,
    pic: Rootless,
    basic_registry: RegistryServer,
    token_registry: RegistryServer,
    tmp_path: Path,
) -> None:
    """By --creds and by an auth file; without, one line that says how to log in."""
    server = {"basic": basic_registry, "token": token_registry}[kind]
    name = f"{server.host}/secret:1"
    result = pic("push", INSECURE, "pic", name)
    assert result.status == 125
    assert "rootless login" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    creds = f"{server.user}:{server.password}"
    pic.ok("push", INSECURE, f"--creds={creds}", "pic", name)
    auth_file = tmp_path / "auth.json"
    who = ("-u", server.user, "-p", server.password)
    tool("skopeo", "login", INSECURE, "--authfile", auth_file, *who, server.host)
    pic.ok("push", INSECURE, "--authfile", auth_file, "pic", name)


def test_tls_by_a_ca_of_ones_own(pic: Rootless, tls_registry: RegistryServer) -> None:
    """--cert-dir names it."""
    folder = certs_d(tls_registry) / tls_registry.host
    pic.ok("push", f"--cert-dir={folder}", "pic", f"{tls_registry.host}/tls:1")
    result = pic("push", "--retry=0", "pic", f"{tls_registry.host}/tls:1")
    assert result.status == 125
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nobody",), "no such image: nobody"),
        (("pic",), "the image's name has no registry: localhost/pic:latest"),
        (("pic", "short"), "the name has no registry: short"),
        (("pic", "127.0.0.1:1/x"), "cannot connect to the registry"),
        (("pic", "127.0.0.1:1/X"), "image name must be lower case"),
        (("--compression-format=xz", "pic", "127.0.0.1:1/x"), "no such compression: xz"),
        (("--compression-level=30", "pic", "127.0.0.1:1/x"), "no such compression level: 30"),
        (("--format=v2s1", "pic", "127.0.0.1:1/x"), "no such format of a manifest: v2s1"),
    ],
)
def test_refusals_are_one_line(pic: Rootless, words: tuple[str, ...], says: str) -> None:
    """With what to do, and status 125."""
    result = pic("push", INSECURE, "--retry=0", *words)
    assert (result.status, result.stdout) == (125, "")
    assert result.stderr.startswith(f"rootless: {says}")
    assert len(result.stderr.splitlines()) == 1


def test_damaged_layer_is_not_pushed(pic: Rootless, plain_registry: RegistryServer) -> None:
    """A store whose file was changed sends nothing under the image's name."""
    (image,) = json.loads(pic.ok("inspect", "pic"))
    layer = pic.home.store / "blobs/sha256" / image["RootFS"]["Layers"][1][7:]
    data = layer.read_bytes()
    layer.write_bytes(data.replace(b"bbbb", b"cccc", 1))
    name = f"{plain_registry.host}/damaged:1"
    result = pic("push", INSECURE, "pic", name)
    assert result.status == 125
    assert result.stderr.startswith("rootless: the layer is damaged")
    assert pic("pull", INSECURE, name).status == 125


def test_killed_in_the_middle(
    rootless: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """After kill -9 the name is not there, or whole; the store has nothing left over."""
    layers = [images.LayerBuilder().file("f", random.Random(n).randbytes(20 << 20)) for n in (1, 2)]
    archive = images.docker_archive(tmp_path / "a.tar", layers, names=["localhost/large"])
    rootless.ok("load", "-q", archive)
    for number, delay in enumerate((0.5, 0.8)):
        name = f"{plain_registry.host}/killed{number}:1"
        process = rootless.start("push", "-q", INSECURE, "large", name)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert list((rootless.home.store / "scratch").iterdir()) == []
        (tmp_path / str(number)).mkdir()
        other = Rootless(Home.make(tmp_path / str(number)))
        if other("pull", "-q", "--retry=0", INSECURE, name).status != 0:
            rootless.ok("push", "-q", INSECURE, "large", name)
            other.ok("pull", "-q", INSECURE, name)
        assert image_id(other, name) == image_id(rootless, "large")
