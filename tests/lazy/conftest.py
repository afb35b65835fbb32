"""A registry with the demo image in layers that can be had chunk by chunk."""

from collections.abc import Iterator

import lazy_images
import pytest
from executable import Rootless
from fault_proxy import fault_proxy
from lazily import SLOW, Lazily
from registries import RegistryServer, fill, registry


@pytest.fixture(scope="session")
def lazy_registry(
    tmp_path_factory: pytest.TempPathFactory, demo_image: str
) -> Iterator[RegistryServer]:
    """HTTP, open to everybody; `lazy:estargz`, `lazy:zstd-chunked`, and `lazy:mixed`."""
    folder = tmp_path_factory.mktemp("lazy-registry")
    with registry(folder / "registry") as server:
        for name, kind, keep in (
            ("estargz", "estargz", 0),
            ("zstd-chunked", "zstd-chunked", 0),
            ("mixed", "zstd-chunked", 1),
        ):
            layout = lazy_images.chunked(demo_image, folder / name, kind, keep=keep)
            fill(server, layout, f"lazy:{name}", "--preserve-digests")
        yield server


@pytest.fixture(params=["estargz", "zstd-chunked"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of layer."""
    return str(request.param)


@pytest.fixture
def lazily(rootless: Rootless, lazy_registry: RegistryServer, kind: str) -> Iterator[Lazily]:
    """An image of that kind, over a fast link."""
    with fault_proxy(lazy_registry.host) as proxy:
        yield Lazily(rootless, proxy, f"{proxy.host}/lazy:{kind}")


@pytest.fixture
def slowly(rootless: Rootless, lazy_registry: RegistryServer) -> Iterator[Lazily]:
    """An image over a slow link, of which nothing is here but what it takes to run `cat`."""
    with fault_proxy(lazy_registry.host, bandwidth=SLOW) as proxy:
        lazily = Lazily(rootless, proxy, f"{proxy.host}/lazy:estargz")
        lazily.pull("--lazy")
        words = "cat /etc/passwd >/dev/null; command -v cat sleep sha256sum"
        rootless.ok(*lazily.run(lazily.image, "sh", "-c", words))
        yield lazily
