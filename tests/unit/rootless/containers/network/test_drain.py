"""What closed connections have left to send."""

import socket

from rootless.containers.network.drain import unsent


def row(state: str, queued: int) -> str:
    """Return a line of /proc/net/tcp."""
    return f"   0: 6402000A:0050 0202000A:D431 {state} {queued:08X}:00000000 01:00000014 00000000 0"


def test_closed_connections_count() -> None:
    """Those that ended with data on the way do, and the end itself; open and listening ones not."""
    assert unsent([]) == 0
    assert unsent([row("01", 500), row("0A", 0), row("06", 0), row("05", 0)]) == 0
    assert unsent([row("04", 500), row("09", 20), row("0B", 0)]) == 521


def test_the_kernel_s_own_table() -> None:
    """A connection whose reader does not read has something left, and nothing once he is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f":{server.getsockname()[1]:04X}"
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        accepted.setblocking(False)
        try:
            while True:
                accepted.send(bytes(65536))
        except BlockingIOError:
            accepted.close()
        assert unsent(lines_of(port)) > 0
        client.close()
        assert unsent(lines_of(port)) == 0


def lines_of(port: str) -> list[str]:
    """Return the rows of the connections from a local port."""
    with open("/proc/self/net/tcp", encoding="ascii") as file:
        return [line for line in file if line.split()[1].endswith(port)]
