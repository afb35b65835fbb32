"""What is built goes where other images go: into podman, and through a registry."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from build_cases import CASES, steps
from executable import Home, Rootless
from podman_session import PLAIN, Podman
from registries import RegistryServer

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

NAME = "special-files"
SAYS = CASES[NAME].says
INSECURE = "--tls-verify=false"


@pytest.fixture(scope="module")
def podman(demo_image: str) -> Iterator[Podman]:
    """Podman over our runtime."""
    made = Podman.make(demo_image)
    yield made
    made.close()


@pytest.fixture
def built(builder: Rootless, contexts: Path) -> Rootless:
    """A user who has built an image."""
    for name, words in steps(CASES[NAME], contexts):
        builder.ok("build", "-q", "-t", name, *words)
    return builder


@pytest.mark.needs_subid
def test_podman_takes_it(built: Rootless, podman: Podman, tmp_path: Path) -> None:
    """`podman load` of what `rootless save` writes, and `podman pull` out of the store itself."""
    image_id = built.ok("inspect", "-f", ".Id", NAME).strip()
    for form in ("docker-archive", "oci-archive"):
        built.ok("save", "-q", "--format", form, "-o", tmp_path / form, NAME)
        podman.ok("load", "-q", "-i", str(tmp_path / form))
        assert podman.ok("run", *PLAIN, "--rm", f"localhost/{NAME}") == SAYS
        podman.ok("rmi", "-f", f"localhost/{NAME}")
    pulled = podman.ok("pull", "-q", f"oci:{built.home.store}:localhost/{NAME}:latest").strip()
    assert pulled == image_id
    assert podman.ok("run", *PLAIN, "--rm", pulled) == SAYS


@pytest.mark.both_users
def test_a_registry_takes_it(
    built: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """Pushed, and pulled by somebody else, it is the same image."""
    name = f"{plain_registry.host}/built:1"
    built.ok("push", INSECURE, NAME, name)
    other = Rootless(Home.make(tmp_path))
    other.ok("pull", "-q", INSECURE, name)
    ids = [each.ok("inspect", "-f", ".Id", n) for each, n in ((built, NAME), (other, name))]
    assert ids[0] == ids[1]
    assert other.ok("run", name) == SAYS
