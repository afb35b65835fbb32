"""CVE-2021-30465, CVE-2019-19921, CVE-2019-16884: mount destinations that are links in an image."""

from pathlib import Path

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the host that no container may reach."""
    path = tmp_path / "outside"
    path.mkdir()
    return path


@pytest.mark.parametrize("target", ["{}", "../../../../../../../..{}", "/proc/1/root{}"])
def test_a_volume_through_a_link(
    rootless: Rootless, shell_layer: bytes, outside: Path, tmp_path: Path, target: str
) -> None:
    """A link to a folder of the host leads to a folder of that name inside, or nowhere."""
    layer = images.LayerBuilder().symlink("link", target.format(outside))
    shell_image.load_image(rootless, [shell_layer, layer])
    source = tmp_path / "source"
    source.mkdir()
    (source / "given").touch()
    options = ("-v", f"{source}:/link/deep", "--tmpfs", "/link/memory", "-w", "/link/work")
    rootless("run", *options, "small", "/bin/sh", "-c", "echo > new; echo > /link/deep/written")
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("path", ["proc", "sys", "dev", "etc", "dev/shm", "etc/hosts"])
def test_our_own_mounts_through_a_link(
    rootless: Rootless, shell_layer: bytes, outside: Path, path: str
) -> None:
    """An image whose /proc, /dev or /etc is a link gets them inside, or is refused in one line."""
    layer = images.LayerBuilder().symlink(path, str(outside))
    shell_image.load_image(rootless, [shell_layer, layer])
    result = rootless("run", "small", "/bin/sh", "-c", "test -e /proc/self/status && echo fine")
    assert list(outside.iterdir()) == []
    assert (result.status, result.stdout) == (0, "fine\n") or (
        result.status == 125 and result.stderr.count("\n") == 1
    )


def test_proc_is_a_volume(rootless: Rootless, shell_layer: bytes, outside: Path) -> None:
    """An image that declares /proc as its volume still has what is hidden in it hidden."""
    config = {"Cmd": ["/bin/sh"], "Volumes": {"/proc": {}, "/proc/sys": {}, "/dev": {}}}
    shell_image.load_image(rootless, [shell_layer], config)
    script = 'read x < /proc/keys; echo "<$x>"; echo x > /proc/sys/kernel/hostname'
    for option in ((), ("--read-only",)):
        result = rootless("run", *option, "small", "/bin/sh", "-c", script)
        assert "<>" in result.stdout or result.status == 125, result


def test_links_in_a_ring(rootless: Rootless, shell_layer: bytes) -> None:
    """Links that lead to each other end in one line, not in a loop."""
    layer = images.LayerBuilder().symlink("a", "b").symlink("b", "a").symlink("c", "c/c")
    shell_image.load_image(rootless, [shell_layer, layer])
    for destination in ("/a", "/a/x", "/c", "/c/x"):
        result = rootless("run", "--tmpfs", destination, "small", "/bin/sh", "-c", ":")
        assert (result.status, result.stderr.count("\n")) == (125, 1)
        assert destination in result.stderr
