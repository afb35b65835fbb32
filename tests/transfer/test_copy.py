"""`rootless copy`: between registries, archives, folders and the store."""

import json
from itertools import pairwise
from pathlib import Path

import images
import loading
import pytest
from executable import Home, Rootless
from peers import tool
from registries import RegistryServer, certs_d, fill

TAR = images.small_layer()


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """Write a layout with an index of two platforms, called `both`."""
    layout = images.Layout(tmp_path / "layout")
    manifests = []
    for name in ("amd64", "arm64"):
        layers = [TAR, images.LayerBuilder().file("who", name.encode() * 5000)]
        descriptor = layout.add_image(layers, tag=None)
        descriptor["platform"] = {"os": "linux", "architecture": name}
        manifests.append(descriptor)
    kind = "application/vnd.oci.image.index.v1+json"
    index = {"schemaVersion": 2, "mediaType": kind, "manifests": manifests}
    named = layout.add_blob(json.dumps(index).encode(), kind)
    named["annotations"] = {"org.opencontainers.image.ref.name": "both"}
    path = tmp_path / "layout" / "index.json"
    path.write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return tmp_path / "layout"


def top(layout: Path) -> str:
    """Return the digest that the first name of a layout leads to."""
    digest: str = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    return digest


def test_index_goes_round_by_every_way(
    rootless: Rootless, layout: Path, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """Layout, registry, other repository, archive, dir and layout again: the same bytes."""
    host = plain_registry.host
    insecure = ("--src-tls-verify=false", "--dest-tls-verify=false")
    places = [
        f"oci:{layout}:both",
        f"docker://{host}/round/one:1",
        f"docker://{host}/round/two:1",
        f"oci-archive:{tmp_path}/a.tar:both",
        f"dir:{tmp_path}/d",
        f"oci:{tmp_path}/again:both",
    ]
    for source, destination in pairwise(places):
        digest = tmp_path / "digest"
        rootless.ok("copy", "--all", "--digestfile", digest, *insecure, source, destination)
        assert digest.read_text() == top(layout)
    assert (
        loading.listing(tmp_path / "again/blobs").keys() == loading.listing(layout / "blobs").keys()
    )
    assert top(tmp_path / "again") == top(layout)
    assert not rootless.home.store.exists()
    log = [line for line in plain_registry.access_log() if "round/two" in line]
    assert not [line for line in log if line.startswith("PATCH")]
    assert len([line for line in log if "mount=" in line and '" 201' in line]) == 5


def test_one_platform_of_an_index(rootless: Rootless, layout: Path, tmp_path: Path) -> None:
    """With the digest that its manifest has in the index."""
    target = f"oci:{tmp_path}/arm:x"
    rootless.ok("copy", "--platform", "linux/arm64", f"oci:{layout}:both", target)
    index = json.loads((layout / "blobs/sha256" / top(layout)[7:]).read_text())
    assert top(tmp_path / "arm") == index["manifests"][1]["digest"]
    tool("umoci", "unpack", "--rootless", "--image", f"{tmp_path}/arm:x", tmp_path / "b")
    assert (tmp_path / "b/rootfs/who").read_text() == "arm64" * 5000


def test_registry_to_docker_archive_and_back(
    rootless: Rootless, layout: Path, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """Layers are decompressed and verified on the way, compressed on the way back."""
    name = f"docker://{plain_registry.host}/archive:1"
    rootless.ok("copy", "--dest-tls-verify=false", f"oci:{layout}:both", name)
    archive = f"docker-archive:{tmp_path}/a.tar:h.example/a:1"
    rootless.ok("copy", "--src-tls-verify=false", name, archive)
    config = tool("skopeo", "inspect", "--config", "--raw", f"docker-archive:{tmp_path}/a.tar")
    back = f"docker://{plain_registry.host}/archive:2"
    rootless.ok("copy", "--dest-tls-verify=false", f"docker-archive:{tmp_path}/a.tar", back)
    words = ("skopeo", "inspect", "--config", "--raw", "--tls-verify=false", back)
    assert tool(*words) == config
    rootless.ok("load", f"{tmp_path}/a.tar")
    assert "h.example/a" in rootless.ok("images")


def test_form_is_turned_for_skopeo(rootless: Rootless, layout: Path, tmp_path: Path) -> None:
    """v2s2 and back."""
    rootless.ok("copy", "--format", "v2s2", f"oci:{layout}:both", f"dir:{tmp_path}/d")
    raw = json.loads(tool("skopeo", "inspect", "--raw", f"dir:{tmp_path}/d"))
    assert raw["layers"][0]["mediaType"] == "application/vnd.docker.image.rootfs.diff.tar.gzip"
    tool("skopeo", "copy", "-q", f"dir:{tmp_path}/d", f"oci:{tmp_path}/o:x")


def test_store_is_an_end_where_it_is_named(
    rootless: Rootless, layout: Path, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """Into it from a layout and a registry, out of it into an archive."""
    rootless.ok("copy", f"oci:{layout}:both", "mine:1")
    name = f"docker://{plain_registry.host}/store:1"
    rootless.ok("copy", "--dest-tls-verify=false", "mine:1", name)
    other = Rootless(Home.make(tmp_path))
    other.ok("copy", "--src-tls-verify=false", name, "theirs:2")
    ids = [
        json.loads(each.ok("inspect", n))[0]["Id"]
        for each, n in ((rootless, "mine:1"), (other, "theirs:2"))
    ]
    assert ids[0] == ids[1]
    rootless.ok("copy", "mine:1", f"docker-archive:{tmp_path}/a.tar")
    assert "mine" in other.ok("load", tmp_path / "a.tar")


def test_each_side_has_its_own_credentials_and_certificates(  # noqa: PLR0917 - fixtures
    rootless: Rootless,
    layout: Path,
    basic_registry: RegistryServer,
    tls_registry: RegistryServer,
    token_registry: RegistryServer,
    tmp_path: Path,
) -> None:
    """One wants a password, one a CA, one a token."""
    fill(basic_registry, f"oci:{layout}:both", "sides:1")
    basic = f"docker://{basic_registry.host}/sides:1"
    tls = f"docker://{tls_registry.host}/sides:1"
    token = f"docker://{token_registry.host}/sides:1"
    creds = f"{basic_registry.user}:{basic_registry.password}"
    certificates = certs_d(tls_registry) / tls_registry.host
    source = (f"--src-creds={creds}", "--src-tls-verify=false")
    rootless.ok("copy", *source, f"--dest-cert-dir={certificates}", basic, tls)
    target = (f"--dest-creds={creds}", "--dest-tls-verify=false")
    rootless.ok("copy", f"--src-cert-dir={certificates}", *target, tls, token)
    result = rootless("copy", "--src-tls-verify=false", basic, f"oci:{tmp_path}/x")
    assert result.status == 125
    assert "rootless login" in result.stderr


@pytest.mark.parametrize(
    ("source", "destination", "says"),
    [
        ("oci:{}/nothing:x", "oci:{}/new:x", "no such file or folder"),
        ("oci:{}/layout:nobody", "oci:{}/new:x", "no such image in the layout"),
        ("oci-archive:{}/layout", "oci:{}/new:x", "a folder is no archive"),
        ("dir:{}/layout", "oci:{}/new:x", "no image of skopeo's `dir:`"),
        ("oci:{}/layout:both", "containers-storage:x", "images are not copied from or to there"),
        ("oci:{}/layout:both", "oci:{}/mine:x", "the destination exists"),
        ("oci:{}/layout:both", "oci-archive:/dev/full:x", "no space left on the device"),
        ("oci:{}/layout:both", "docker://127.0.0.1:1/x:1", "cannot connect to the registry"),
        ("nobody", "oci:{}/new:x", "no such image: nobody"),
    ],
)
def test_refusals_are_one_line(  # noqa: PLR0917 - parameters
    rootless: Rootless, layout: Path, tmp_path: Path, source: str, destination: str, says: str
) -> None:
    """And leave nothing new."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").touch()
    before = loading.listing(tmp_path)
    result = rootless("copy", "--retry=0", source.format(tmp_path), destination.format(tmp_path))
    assert (result.status, result.stdout) == (125, "")
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert loading.listing(tmp_path) == before
    assert layout.exists()
