"""A host whose name server listens on its loopback only, as systemd-resolved does."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from executable import Home, Rootless
from ordinary_user import ordinary_user

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_root]

ADDRESS = "127.0.0.99"


@pytest.fixture
def ann(demo_image: str) -> Iterator[Rootless]:
    """The executable, run by an ordinary user on a host with that resolv.conf."""
    user = ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="rootless-resolver-"))
    home = Home.make(folder)
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {ADDRESS}\n")
    script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
    become = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    words = ("--mount", "sh", "-c", script, "sh", str(resolv_conf), *become)
    home = Home(folder, {**home.environ, "USER": user.pw_name, "LOGNAME": user.pw_name})
    rootless = Rootless(home, (*words, str(Path(sys.prefix, "bin", "rootless"))), "unshare")
    rootless.ok("load", "-q", demo_image.rpartition(":")[0], timeout=300)
    yield rootless
    shutil.rmtree(folder)


@pytest.mark.parametrize("forwarder", servers.FORWARDERS)
def test_loopback_name_server(ann: Rootless, forwarder: str) -> None:
    """In a private network the container asks the forwarder, which asks the host's server."""
    servers.need_tun()
    if forwarder == "pasta":
        servers.need_route()
    script = servers.NAME_SERVER.replace("127.0.0.1", ADDRESS)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        script = "cat /etc/resolv.conf; getent hosts hello.example"
        command = ("run", "--network", forwarder, "debian-demo", "sh", "-c", script)
        out = ann.ok(*command).split()
        server.kill()
    assert out[:3] == ["nameserver", "10.0.2.3", "203.0.113.5"]
