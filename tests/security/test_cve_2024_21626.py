"""CVE-2024-21626: a working directory that is reached through a leaked descriptor."""

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
def test_no_descriptor_is_a_working_directory(demo: Rootless) -> None:
    """-w /proc/self/fd/N is refused, whatever lies behind it, as /proc's other links are."""
    for path in (*(f"/proc/self/fd/{fd}" for fd in (0, 3, 5, 7, 8, 9)), "/proc/1/cwd"):
        result = demo("run", "-w", path, "debian-demo", "pwd")
        assert (result.status, result.stdout) == (125, "")
        assert result.stderr.count("\n") == 1


def test_nor_through_the_image(rootless: Rootless, shell_layer: bytes) -> None:
    """A link of the image to one is refused, as the image's WorkingDir too."""
    layer = images.LayerBuilder()
    for fd in range(10):
        layer.symlink(f"fd{fd}", f"/proc/self/fd/{fd}")
    config = {"Cmd": ["/bin/sh", "-c", "pwd; echo *"], "WorkingDir": "/fd7/x"}
    shell_image.load_image(rootless, [shell_layer, layer], config)
    for option in ((), *(("-w", f"/fd{fd}") for fd in (0, 3, 7, 8, 9))):
        result = rootless("run", *option, "small")
        assert (result.status, result.stdout) == (125, "")


def test_no_directory_is_left_open(demo: Rootless) -> None:
    """The workload has no descriptor but its standard streams to walk out through."""
    script = "for fd in /proc/self/fd/*; do test -d $fd/. && echo $fd; done; cd /; cd ..; pwd"
    assert demo.ok("run", "debian-demo", "sh", "-c", script) == "/\n"
