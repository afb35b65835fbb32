"""What remains of a run with a network of its own after kill -9: no program, no port."""

import subprocess
from collections.abc import Callable

import pytest
import servers
from executable import Rootless
from run_processes import Processes, descendants, is_alive, kill

from rootless.containers.network.host_ports import check_free
from rootless.containers.network.ports import PortMapping

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.both_users]


@pytest.mark.parametrize("forwarder", servers.FORWARDERS)
@pytest.mark.parametrize(
    "victims",
    [
        *(("command_line",), ("supervisor",), ("init",), ("workload",)),
        ("supervisor", "command_line"),
    ],
    ids="+".join,
)
def test_kill(
    demo_alone: Rootless,
    forwarder: str,
    victims: tuple[str, ...],
    wait_until: Callable[[Callable[[], bool]], None],
) -> None:
    """Whoever is killed, the program ends and the port is free for the next run."""
    servers.need_tun()
    if forwarder == "pasta":
        servers.need_route()
    mapping = PortMapping(80, servers.free_port())
    words = ("--network", forwarder, "-p", str(mapping), "debian-demo", "sleep", "600")
    with demo_alone.start("run", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        found = Processes.when_running(process.pid, "sleep")
        assert found.forwarder
        all_of_it = descendants(process.pid)
        for victim in victims:
            kill(getattr(found, victim))
        process.communicate(timeout=20)
    wait_until(lambda: not any(map(is_alive, all_of_it)))
    check_free([mapping])
    again = ("--network", forwarder, "-p", str(mapping), "debian-demo", "echo", "next")
    assert demo_alone.ok("run", *again) == "next\n"
