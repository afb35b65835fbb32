"""Links of an image where /proc and /dev come to lie.

CVE-2019-19921, CVE-2025-31133, CVE-2025-52881.
"""

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
@pytest.mark.parametrize("name", ["proc", "sys"])
def test_proc_is_not_mounted_through_a_link(
    rootless: Rootless, shell_layer: bytes, name: str
) -> None:
    """Else what is masked below /proc would lie beside what a workload gets to see later."""
    layer = images.LayerBuilder().directory("elsewhere").symlink(name, "/elsewhere")
    shell_image.load_image(rootless, [shell_layer, layer], {"Cmd": ["/bin/sh", "-c", "echo ran"]})
    result = rootless("run", "--network", "none", "small")
    assert (result.status, result.stdout) == (125, "")
    assert result.stderr == (
        f"rootless: the mount point must not lead through links of the image: /{name}\n"
    )


@pytest.mark.both_users
@pytest.mark.parametrize("target", ["/proc/sys/kernel/domainname", "/etc/passwd", "/dev/zero"])
def test_the_null_device_is_no_link(rootless: Rootless, shell_layer: bytes, target: str) -> None:
    """A link that an image has at /dev/null is not what files are hidden behind."""
    layer = images.LayerBuilder().symlink("dev/null", target)
    script = 'read -r line </proc/kcore; test -z "$line" && test -c /dev/null && echo hidden'
    shell_image.load_image(rootless, [shell_layer, layer], {"Cmd": ["/bin/sh", "-c", script]})
    assert rootless.ok("run", "small") == "hidden\n"
