"""Host name, name files and networks."""

import socket
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
def test_host_name(demo: Rootless) -> None:
    """--hostname names the container, in the kernel and in /etc; -h is the same."""
    script = (
        "hostname; cat /etc/hostname; getent hosts web >/dev/null && echo known; echo $HOSTNAME"
    )
    for option in ("--hostname", "-h"):
        out = demo.ok("run", option, "web", "debian-demo", "sh", "-c", script)
        assert out.split() == ["web", "web", "known", "web"]


def test_host_name_without_one(demo: Rootless) -> None:
    """With the host's network the name is the host's, without it 12 digits of the container's."""
    assert demo.ok("run", "debian-demo", "hostname").strip() == socket.gethostname()
    name = demo.ok("run", "--network", "none", "debian-demo", "hostname").strip()
    assert len(name) == 12
    assert int(name, 16) >= 0
    assert socket.gethostname() != name


def test_name_files_are_the_hosts(demo: Rootless) -> None:
    """With the host's network /etc/hosts and /etc/resolv.conf begin as the host's."""
    out = demo.ok("run", "debian-demo", "cat", "/etc/hosts", "/etc/resolv.conf")
    hosts = Path("/etc/hosts").read_text().strip()
    resolv_conf = Path("/etc/resolv.conf")
    assert hosts in out
    if resolv_conf.exists():
        assert out.endswith(resolv_conf.read_text())


def test_add_host_and_dns(demo: Rootless) -> None:
    """--add-host comes first in /etc/hosts, --dns takes the place of the host's servers."""
    options = ("--add-host", "db:10.1.2.3", "--add-host", "six:[fe80::1]", "--dns", "192.0.2.1")
    hosts = demo.ok("run", *options, "debian-demo", "cat", "/etc/hosts")
    assert hosts.startswith("10.1.2.3\tdb\nfe80::1\tsix\n")
    out = demo.ok("run", *options, "debian-demo", "grep", "^nameserver", "/etc/resolv.conf")
    assert out == "nameserver 192.0.2.1\n"


def test_name_files_can_be_written(demo: Rootless, driver: str) -> None:
    """They are the container's own: writing them changes nothing outside."""
    before = Path("/etc/hosts").read_text()
    script = "echo 192.0.2.9 x >> /etc/hosts && tail -n 1 /etc/hosts"
    options = ("--overlay-driver", driver)
    assert demo.ok("run", *options, "debian-demo", "sh", "-c", script) == "192.0.2.9 x\n"
    assert Path("/etc/hosts").read_text() == before


def test_name_files_give_way(demo: Rootless, folder: Path) -> None:
    """A volume on one of them wins, and a folder on /etc is neither needed nor changed."""
    out = demo.ok("run", "-v", f"{folder}/file:/etc/hosts", "debian-demo", "cat", "/etc/hosts")
    assert out == "of the host\n"
    for options in ("", ":ro"):
        volume = f"{folder}:/etc{options}"
        assert demo.ok("run", "-v", volume, "debian-demo", "ls", "/etc") == "file\n"
    assert [path.name for path in folder.iterdir()] == ["file"]


_CONNECT = """
import socket, sys
for line in open("/proc/net/dev").readlines()[2:]: print(line.split(":")[0].strip())
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
print("loopback")
try: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2); print("host")
except OSError: print("no host")
"""


@pytest.mark.both_users
@pytest.mark.parametrize(("network", "reached"), [("none", "no host"), ("host", "host")])
def test_network(demo: Rootless, network: str, reached: str) -> None:
    """none: a loopback of its own that is up, and nothing else; host: the host's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = ("debian-demo", "python3", "-c", _CONNECT, port)
        out = demo.ok("run", "--network", network, *command).splitlines()
    assert out[-2:] == ["loopback", reached]
    inside = {
        line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().split("\n")[2:]
    }
    assert set(out[:-2]) == ({"lo"} if network == "none" else inside - {""})
