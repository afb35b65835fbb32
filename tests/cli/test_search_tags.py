"""`rootless search-tags`, against a real registry."""

import json
from pathlib import Path

import images
import pytest
from executable import Rootless
from registries import RegistryServer, fill

PLAIN = "--tls-verify=false"


@pytest.fixture(scope="module")
def server(
    plain_registry: RegistryServer, tmp_path_factory: pytest.TempPathFactory
) -> RegistryServer:
    """A registry with three tags of an image."""
    folder = tmp_path_factory.mktemp("image") / "layout"
    images.oci_layout(folder, [images.small_layer()], tag="small")
    for tag in ("1", "2", "latest"):
        fill(plain_registry, f"oci:{folder}:small", f"org/app:{tag}")
    return plain_registry


def test_a_table(rootless: Rootless, server: RegistryServer) -> None:
    """The full name and a tag, a line each; at most as many as asked for."""
    name = f"{server.host}/org/app"
    lines = rootless.ok("search-tags", PLAIN, name).splitlines()
    assert lines[0].split() == ["NAME", "TAG"]
    tags = sorted(line.split() for line in lines[1:])  # docker-registry has no order
    assert tags == [[name, tag] for tag in ("1", "2", "latest")]
    assert len(rootless.ok("search-tags", PLAIN, "--limit", "2", name).splitlines()) == 3
    assert rootless.ok("search-tags", PLAIN, "--limit", "0", name).splitlines()[0] == lines[0]


def test_json(rootless: Rootless, server: RegistryServer) -> None:
    """As podman has it."""
    name = f"{server.host}/org/app"
    found = json.loads(rootless.ok("search-tags", PLAIN, "--format", "json", name))
    assert [list(each) for each in found] == [["Name", "Tags"]]
    assert found[0]["Name"] == name
    assert sorted(found[0]["Tags"]) == ["1", "2", "latest"]
    result = rootless("search-tags", "--format", "yaml", name)
    assert "--format takes table or json: yaml" in result.stderr


def test_short_names(rootless: Rootless, server: RegistryServer) -> None:
    """The first registry of the search list that has it, and aliases."""
    folder = Path(rootless.home.environ["HOME"]) / ".config/containers"
    folder.mkdir(parents=True)
    (folder / "registries.conf").write_text(
        f'unqualified-search-registries = ["{server.host}/none", "{server.host}"]\n'
        f'[aliases]\napp = "{server.host}/org/app"\n'
        f'[[registry]]\nlocation = "{server.host}"\ninsecure = true\n'
    )
    for name in ("org/app", "app"):
        found = json.loads(rootless.ok("search-tags", "--format", "json", name))
        assert found[0]["Name"] == f"{server.host}/org/app"


def test_what_is_not_there(rootless: Rootless, server: RegistryServer) -> None:
    """One line with the name."""
    result = rootless("search-tags", PLAIN, f"{server.host}/absent")
    assert result.status == 125
    name = f"{server.host}/absent"
    assert result.stderr.startswith(f"rootless: no such repository in the registry: {name} (")
