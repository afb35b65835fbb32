"""`--sysctl`: what a container has of its own."""

import pytest

from rootless.bundle.sysctl import sysctls
from rootless.errors import InvalidInput


def test_what_is_its_own() -> None:
    """Settings of its network and its IPC namespace, with points or slashes; the last wins."""
    texts = ["net.ipv4.ip_forward=1", "net/ipv4/conf/eth0.1/x=2", "kernel.shmmax=5"]
    assert sysctls([*texts, "kernel.shmmax=6"], network=True, ipc=True) == {
        "net.ipv4.ip_forward": "1",
        "net/ipv4/conf/eth0.1/x": "2",
        "kernel.shmmax": "6",
    }


def test_what_is_the_host_s() -> None:
    """Without the namespace the setting would be the host's."""
    with pytest.raises(InvalidInput, match="belongs to the host's network"):
        sysctls(["net.core.somaxconn=1"], network=False, ipc=True)
    with pytest.raises(InvalidInput, match="belongs to the host's IPC"):
        sysctls(["fs.mqueue.msg_max=1"], network=True, ipc=False)
    with pytest.raises(InvalidInput, match="once, for all"):
        sysctls(["kernel.core_pattern=|/bin/x"], network=True, ipc=True)


@pytest.mark.parametrize("text", ["", "net", "net.x", "=1", "net../../x=1", "net.a=\0", "/etc/x=1"])
def test_no_setting(text: str) -> None:
    """A name never leads out of /proc/sys."""
    with pytest.raises(InvalidInput):
        sysctls([text], network=True, ipc=True)
