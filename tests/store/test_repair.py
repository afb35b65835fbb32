"""`rootless store verify --repair` of images that came from a registry, and of such as did not."""

import json
from pathlib import Path

import images
import pytest
from executable import Rootless
from registries import RegistryServer, fill

LAYERS = [images.small_layer(), images.LayerBuilder().file("two", b"2" * 5000)]


def overwrite(path: Path) -> None:
    """Change a file in its middle."""
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + b"#" + data[middle + 1 :])


@pytest.fixture
def server(rootless: Rootless, plain_registry: RegistryServer, tmp_path: Path) -> RegistryServer:
    """A registry that the user trusts, with the image `app:1`, which he has pulled."""
    images.oci_layout(tmp_path / "layout", LAYERS, tag="app")
    fill(plain_registry, f"oci:{tmp_path}/layout:app", "app:1")
    folder = Path(rootless.home.environ["HOME"]) / ".config" / "containers"
    folder.mkdir(parents=True)
    host = plain_registry.host
    conf = f'[[registry]]\nlocation = "{host}"\ninsecure = true\n'
    (folder / "registries.conf").write_text(conf)
    rootless.ok("pull", "-q", f"{host}/app:1")
    return plain_registry


def test_fetched_again(rootless: Rootless, server: RegistryServer) -> None:
    """A damaged layer and damaged documents are fetched by their digests; nothing else is."""
    name = f"{server.host}/app:1"
    blobs = rootless.home.store / "blobs" / "sha256"
    (before,) = json.loads(rootless.ok("inspect", name))
    damaged = [blobs / images.digest(LAYERS[1].tar())[7:], blobs / before["Digest"][7:]]
    for path in damaged:
        overwrite(path)
    listed = rootless.ok("images", "--no-trunc")
    assert rootless("store", "verify").status == 1
    since = len(server.access_log())
    printed = rootless.ok("store", "verify", "--repair")
    assert printed.count("(repaired)") == 2
    assert printed.endswith("all is well, 2 repaired\n")
    asked = [line for line in server.access_log()[since:] if "/blobs/" in line]
    assert len([line for line in asked if line.startswith("GET")]) <= 2  # the layer, the config
    assert rootless.ok("images", "--no-trunc") == listed
    assert json.loads(rootless.ok("inspect", name)) == [before]
    assert rootless.ok("store", "verify").endswith(": all is well\n")
    assert list((rootless.home.store / "damaged").iterdir()) == []


def test_what_cannot_be_fetched(rootless: Rootless, server: RegistryServer, tmp_path: Path) -> None:
    """An image of a file waits for its next load; one whose registry is away says so."""
    rootless.ok("load", "-q", "--name", "mine", tmp_path / "layout")
    own = images.LayerBuilder().file("own")
    rootless.ok("load", "-q", images.docker_archive(tmp_path / "own.tar", [own], names=["own"]))
    name = images.digest(own.tar())[7:]
    overwrite(rootless.home.store / "blobs" / "sha256" / name)
    (away,) = json.loads(rootless.ok("inspect", f"{server.host}/app:1"))
    settings = Path(rootless.home.environ["HOME"]) / ".config" / "containers" / "registries.conf"
    settings.write_text(f'[[registry]]\nlocation = "{server.host}"\nblocked = true\n')
    overwrite(rootless.home.store / "blobs" / "sha256" / images.digest(LAYERS[0].tar())[7:])
    result = rootless("store", "verify", "--repair")
    assert result.status == 1
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert "blocked" in "".join(lines)
    assert "load or pull the image again" in "".join(lines)
    assert (rootless.home.store / "damaged" / name).exists()
    settings.write_text(f'[[registry]]\nlocation = "{server.host}"\ninsecure = true\n')
    rootless.ok("load", "-q", tmp_path / "own.tar")
    rootless.ok("store", "verify", "--repair")
    assert json.loads(rootless.ok("inspect", f"{server.host}/app:1")) == [away]


def test_a_pull_beside_a_shared_store(
    rootless: Rootless, server: RegistryServer, tmp_path: Path
) -> None:
    """What another store has is not downloaded, and not compressed again to be pushed."""
    shared = rootless.home.store
    name = f"{server.host}/app:1"
    environ = {
        "ROOTLESS_HOME": str(tmp_path / "own"),
        "ROOTLESS_ADDITIONAL_STORES": str(shared),
    }
    more = [*LAYERS, images.LayerBuilder().file("three", b"3")]
    images.oci_layout(tmp_path / "more", more, tag="more")
    fill(server, f"oci:{tmp_path}/more:more", "app:more")
    since = len(server.access_log())
    rootless.ok("pull", "-q", f"{server.host}/app:more", env=environ)
    asked = [line for line in server.access_log()[since:] if "GET" in line and "/blobs/" in line]
    assert len(asked) == 2  # the config, and the layer that is new
    assert len(list((tmp_path / "own" / "layers" / "sha256").iterdir())) == 1
    rootless.ok("push", "-q", name, f"docker://{server.host}/copy:1", env=environ)
    rootless.ok("save", "-q", "-o", tmp_path / "saved.tar", name, env=environ)
    rootless.ok("load", "-q", tmp_path / "saved.tar")
    assert rootless.ok("store", "verify", env=environ).endswith("all is well\n")
