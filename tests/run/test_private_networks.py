"""Networks of a container's own: pasta and slirp4netns, published ports, joined namespaces."""

import os
import socket
import subprocess
import time

import pytest
import servers
from executable import Rootless
from run_processes import Processes

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.fixture(autouse=True)
def _needs_tun() -> None:
    servers.need_tun()


@pytest.fixture(params=servers.FORWARDERS)
def forwarder(request: pytest.FixtureRequest) -> str:
    """Each program that carries packets."""
    if request.param == "pasta":
        servers.need_route()
    return str(request.param)


def host_loopback(forwarder: str) -> str:
    """Return the network in which the gateway is the host's loopback."""
    return f"{forwarder}:{'--map-gw' if forwarder == 'pasta' else 'allow_host_loopback=true'}"


@pytest.mark.both_users
class TestPublished:
    """-p: ports of the host."""

    def test_tcp(self, demo: Rootless, forwarder: str) -> None:
        """A port of the host leads to another one of the container's; and a range does."""
        port = servers.free_port()
        options = ("--network", forwarder, "-p", f"{port}:80")
        with servers.running(demo, *options, arguments=("tcp", "80")):
            for _ in range(3):
                assert servers.ask_tcp("127.0.0.1", port).startswith("tcp for ")
        options = ("--network", forwarder, "-p", f"127.0.0.1:{port}-{port + 2}:79-81")
        with servers.running(demo, *options, arguments=("tcp", "80")):
            assert servers.ask_tcp("127.0.0.1", port + 1).startswith("tcp for ")

    def test_udp(self, demo: Rootless, forwarder: str) -> None:
        """A datagram gets its answer, from who asked over the loopback too.

        For that pasta of 2023 needs the same port on both sides, slirp4netns the loopback.
        """
        port = servers.free_port(socket.SOCK_DGRAM)
        options = ("--network", host_loopback(forwarder), "-p", f"{port}:{port}/udp")
        with servers.running(demo, *options, arguments=("udp", str(port))):
            assert servers.ask_udp("127.0.0.1", port, "one").startswith("udp one for ")
            assert servers.ask_udp("127.0.0.1", port, "two").startswith("udp two for ")

    def test_port_of_ipv6(self, demo: Rootless) -> None:
        """Pasta publishes on an IPv6 address."""
        servers.need_route()
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
                port = probe.getsockname()[1]
        except OSError:
            pytest.skip("needs kernel with IPv6")
        options = ("--network", "pasta", "-p", f"[::1]:{port}:80")
        with servers.running(demo, *options, arguments=("tcp6", "80")):
            assert servers.ask_tcp("::1", port).startswith("tcp for ")

    def test_alone(self, demo: Rootless) -> None:
        """Without --network a published port makes the network private."""
        port = servers.free_port()
        with servers.running(demo, "-p", f"{port}:80", arguments=("tcp", "80")) as process:
            assert servers.ask_tcp("127.0.0.1", port).startswith("tcp for ")
            ours = os.readlink("/proc/self/ns/net")
            init = Processes.of(process.pid)
            assert os.readlink(f"/proc/{init.workload}/ns/net") != ours


@pytest.mark.both_users
class TestOutwards:
    """From the container to the host and beyond."""

    def test_from_the_first_line(self, demo: Rootless, forwarder: str) -> None:
        """The network is there when the workload starts, and the host has a name in it."""
        servers.need_route()  # else the host has no address but its loopback
        with servers.host_server("0.0.0.0") as server:
            command = ("python3", "-c", servers.ASK, "host.containers.internal", str(server.port))
            said = demo.ok("run", "--network", forwarder, "debian-demo", *command)
        assert said.strip() == server.secret

    def test_loopback_of_the_host(self, demo: Rootless, forwarder: str) -> None:
        """What listens on the host's loopback only is reached where that was asked for only."""
        with servers.host_server("127.0.0.1") as server:
            command = ("debian-demo", "python3", "-c", servers.ASK, "10.0.2.2", str(server.port))
            for network, reached in ((forwarder, False), (host_loopback(forwarder), True)):
                said = demo.ok("run", "--network", network, *command).strip()
                assert (said == server.secret) is reached

    def test_what_was_sent_last(self, demo: Rootless, forwarder: str) -> None:
        """A program that sends and ends at once has sent it all: its network waits for that."""
        size = 64 << 20
        script = (
            "import socket, sys; c = socket.create_connection(('10.0.2.2', int(sys.argv[1]))); "
            f"c.sendall(bytes({size}))"
        )
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
            command = ("debian-demo", "python3", "-c", script, port)
            with demo.start("run", "--network", host_loopback(forwarder), *command):
                server.settimeout(20)
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(20)
                    got = sum(map(len, iter(lambda: connection.recv(1 << 20), b"")))
        assert got == size

    def test_pasta_is_not_flooded(self, demo: Rootless) -> None:
        """What one connection has on the way is limited, for pasta drops what it cannot pass on."""
        servers.need_route()
        command = ("debian-demo", "cat", "/proc/sys/net/ipv4/tcp_wmem")
        most = demo.ok("run", "--network", "pasta", *command).split()[2]
        assert int(most) == 256 << 10

    def test_host_gateway(self, demo: Rootless, forwarder: str) -> None:
        """--add-host NAME:host-gateway leads to the host."""
        with servers.host_server("127.0.0.1") as server:
            command = ("debian-demo", "python3", "-c", servers.ASK, "up", str(server.port))
            options = ("--network", host_loopback(forwarder), "--add-host", "up:host-gateway")
            assert demo.ok("run", *options, *command).strip() == server.secret
            options = ("--network", "host", "--add-host", "up:host-gateway")
            assert demo.ok("run", *options, *command).strip() == server.secret

    @pytest.mark.parametrize("userns", ["keep-id", "single"])
    def test_with_each_map(self, demo: Rootless, forwarder: str, userns: str) -> None:
        """Whoever the caller is inside, the program has the rights that it needs."""
        with servers.host_server("127.0.0.1") as server:
            command = ("debian-demo", "python3", "-c", servers.ASK, "10.0.2.2", str(server.port))
            options = ("--userns", userns, "--network", host_loopback(forwarder), "-p", "80")
            assert demo.ok("run", *options, *command).strip() == server.secret


class TestNames:
    """What the files in /etc say of a private network."""

    def test_files(self, demo: Rootless, forwarder: str) -> None:
        """The container has its address; no server of the host's loopback is named."""
        command = ("debian-demo", "sh", "-c", "cat /etc/hosts; echo; cat /etc/resolv.conf")
        out = demo.ok("run", "--network", forwarder, "--hostname", "box", *command)
        hosts, _, resolv_conf = out.partition("\n\n")
        assert "10.0.2.100\tbox" in hosts
        assert "nameserver " in resolv_conf
        assert "nameserver 127." not in resolv_conf

    def test_options(self, demo: Rootless) -> None:
        """--dns, --dns-search and --dns-option are the file; --no-hosts leaves the image's."""
        options = ("--dns", "192.0.2.1", "--dns-search", "a.example", "--dns-option", "ndots:2")
        options = ("--network", "none", *options)
        out = demo.ok("run", *options, "debian-demo", "cat", "/etc/resolv.conf")
        assert out == "search a.example\noptions ndots:2\nnameserver 192.0.2.1\n"
        command = ("debian-demo", "sh", "-c", "cat /etc/hosts 2>&1 | grep -c 10.9.9.9")
        assert demo.ok("run", "--add-host", "x:10.9.9.9", *command) == "1\n"
        assert demo("run", "--no-hosts", *command).stdout == "0\n"


@pytest.mark.both_users
class TestJoined:
    """ns:PATH: containers that share a network, as in a pod."""

    def test_two_over_localhost(self, demo: Rootless) -> None:
        """A second container reaches the first one's server on localhost, and no more of it."""
        with servers.running(demo, "--network", "none", arguments=("tcp", "80")) as process:
            path = f"/proc/{Processes.of(process.pid).workload}/ns/net"
            command = ("python3", "-c", servers.ASK, "localhost", "80")
            said = demo.ok("run", "--network", f"ns:{path}", "debian-demo", *command)
            assert said == "tcp for 127.0.0.1\n"
            script = "echo x > /new && ls -d /proc/[0-9]* | wc -l; ls /sys/class/net; id -u"
            out = demo.ok("run", "--network", f"ns:{path}", "debian-demo", "sh", "-c", script)
            count, *interfaces, uid = out.split()
            assert int(count) < 8
            assert (interfaces, uid) == (["lo"], "0")

    def test_by_the_supervisor(self, demo: Rootless) -> None:
        """The supervisor's network is the container's: what joins by a container's name takes."""
        with servers.running(demo, "--network", "slirp4netns", arguments=("tcp", "80")) as process:
            path = f"/proc/{Processes.of(process.pid).supervisor}/ns/net"
            command = ("python3", "-c", servers.ASK, "10.0.2.100", "80")
            said = demo.ok("run", "--network", f"ns:{path}", "debian-demo", *command)
            assert said == "tcp for 10.0.2.100\n"

    def test_names_from_a_neighbour(self, demo: Rootless) -> None:
        """A name server in one container answers another by --dns."""
        with servers.running(demo, "--network", "none", script=servers.NAME_SERVER) as process:
            path = f"/proc/{Processes.of(process.pid).workload}/ns/net"
            options = ("--network", f"ns:{path}", "--dns", "127.0.0.1")
            out = demo.ok("run", *options, "debian-demo", "getent", "hosts", "hello.example")
            assert out.split()[0] == "203.0.113.5"

    def test_the_caller_s_own(self, demo: Rootless) -> None:
        """The path of the host's own network is the host's network."""
        out = demo.ok("run", "--network", "ns:/proc/self/ns/net", "debian-demo", "hostname")
        assert out.strip() == socket.gethostname()


@pytest.mark.both_users
class TestNeighbours:
    """container:NAME: the network of a container that lives."""

    def test_across_starts(self, demo_alone: Rootless) -> None:
        """Who joined a container joins it again wherever that has come to run since."""
        demo = demo_alone
        port = servers.free_port()
        serve = ("debian-demo", "python3", "-c", servers.SERVE, "tcp", "80")
        ask = ("python3", "-c", servers.ASK, "localhost", "80")
        demo.ok("run", "-d", "--name", "web", "-p", f"{port}:80", *serve)
        try:
            self.wait_for(demo, "web")
            demo.ok("run", "--name", "asks", "--network", "container:web", "debian-demo", *ask)
            for _ in range(2):
                assert demo.ok("start", "-a", "asks") == "tcp for 127.0.0.1\n"
                demo.ok("stop", "-t", "0", "web")
                result = demo("start", "-a", "asks")
                assert (result.status, result.stderr.count("\n")) == (125, 1)
                assert "to be joined is not running: web (rootless start web)" in result.stderr
                demo.ok("start", "web")
                self.wait_for(demo, "web")
            assert servers.ask_tcp("127.0.0.1", port).startswith("tcp for ")
            assert demo.ok("port", "web") == f"80/tcp -> 0.0.0.0:{port}\n"
        finally:
            demo("rm", "-f", "asks")
            demo("rm", "-f", "web")

    def wait_for(self, demo: Rootless, name: str) -> None:
        """Wait until its server listens: each start says so once."""
        deadline = time.monotonic() + 10
        script = "import socket; socket.create_connection(('localhost', 80)).close()"
        while demo("exec", name, "python3", "-c", script).status:
            assert time.monotonic() < deadline

    def test_nobody(self, demo: Rootless) -> None:
        """A name that no container has is refused."""
        result = demo("run", "--network", "container:nobody", "debian-demo", "true")
        assert (result.status, result.stderr.count("\n")) == (125, 1)
        assert "no such container: nobody" in result.stderr


class TestRefused:
    """One line, status 125, and nothing is left."""

    def refusal(self, demo: Rootless, *options: str) -> str:
        """Return the line."""
        result = demo("run", *options, "debian-demo", "true")
        assert (result.status, result.stdout, result.stderr.count("\n")) == (125, "", 1)
        return result.stderr

    def test_port_in_use(self, demo: Rootless, forwarder: str) -> None:
        """The port and what to do are named."""
        with servers.host_server("127.0.0.1") as server:
            said = self.refusal(demo, "--network", forwarder, "-p", f"{server.port}:80")
        assert f"the port is in use on this host: {server.port}/tcp on 0.0.0.0" in said
        assert f"-p {server.port + 1}:80" in said

    def test_low_port(self, demo: Rootless, forwarder: str) -> None:
        """A port of root's: the sysctl is named."""
        said = self.refusal(demo, "--network", forwarder, "-p", "81:80")
        assert "ports below 1024 are not for ordinary users: 81/tcp" in said
        assert "net.ipv4.ip_unprivileged_port_start=81" in said

    def test_what_pasta_says(self, demo: Rootless) -> None:
        """An option that pasta does not know is told in its words."""
        servers.need_route()
        said = self.refusal(demo, "--network", "pasta:--nonsense")
        assert "pasta could not connect the network: pasta: unrecognized option" in said

    def test_no_program(self, demo: Rootless) -> None:
        """Without pasta and slirp4netns the package is named; `host` and `none` run."""
        bare = Rootless(demo.home, (), demo.executable)
        result = bare("run", "-p", "80", "debian-demo", "true", env={"PATH": "/nonexistent"})
        assert result.status == 125
        assert "apt-get install passt" in result.stderr
        words = ("--userns", "single", "--network", "none", "debian-demo", "true")
        assert bare("run", *words, env={"PATH": "/nonexistent"}).status == 0

    def test_ports_of_the_host_s_network(self, demo: Rootless) -> None:
        """-p with --network host is said to mean nothing, and the command runs."""
        result = demo("run", "--network", "host", "-p", "80:80", "debian-demo", "echo", "runs")
        assert (result.status, result.stdout) == (0, "runs\n")
        assert "nothing is published" in result.stderr


def test_the_program_dies(demo: Rootless, forwarder: str) -> None:
    """One line says that the network has ended; the workload goes on and ends as it would."""
    command = ("debian-demo", "sh", "-c", "echo ready; read line; echo $line; exit 7")
    with demo.start(
        *("run", "-i", "--network", forwarder, *command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.kill(Processes.of(process.pid).forwarder, 9)
        assert process.stderr is not None
        said = process.stderr.readline().decode()
        out, err = process.communicate(b"on\n", timeout=20)
    assert said.startswith(f"rootless: the network ended, connections fail: {forwarder}: ")
    assert (process.returncode, out, err) == (7, b"on\n", b"")
