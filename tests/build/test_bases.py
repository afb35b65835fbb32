"""Where the images come from that a build stands on."""

from pathlib import Path

import images
import pytest
from executable import Home, Rootless
from registries import RegistryServer

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def pushed(rootless: Rootless, folder: Path, name: str, content: bytes) -> None:
    """Put an image of one file into a registry."""
    layer = images.LayerBuilder().file("file", content)
    rootless.ok("load", images.docker_archive(folder, [layer], names=["one"]))
    rootless.ok("push", "-q", "--tls-verify=false", "one", name)
    rootless.ok("rmi", "one")


def test_out_of_a_registry(
    rootless: Rootless,
    plain_registry: RegistryServer,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A base that is missing is pulled, and again where --pull says so; --from= as well."""
    other = Rootless(Home.make(tmp_path_factory.mktemp("other")))
    names = [f"{plain_registry.host}/bases/{each}:1" for each in ("one", "two")]
    for name in names:
        pushed(other, tmp_path / "first.tar", name, b"first")
    text = f"FROM {names[0]}\nCOPY --from={names[1]} /file /copy\n"
    (tmp_path / "Containerfile").write_text(text)
    refused = rootless("build", "--pull=never", tmp_path)
    assert refused.status == 125
    assert f"Containerfile:1: no such image: {names[0]}" in refused.stderr
    words = ("build", "-q", "--tls-verify=false")
    first = rootless.ok(*words, tmp_path)
    for name in names:
        pushed(other, tmp_path / "second.tar", name, b"second")
    assert rootless.ok(*words, tmp_path) == first
    assert rootless.ok(*words, "--pull", tmp_path) != first
    gone = rootless("build", "--tls-verify=false", "--from", f"{names[0]}0", tmp_path)
    assert gone.status == 125
    assert "Containerfile:1: " in gone.stderr.splitlines()[-1]
