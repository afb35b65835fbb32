"""`exec` and `ps`: more processes in a running container."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from run_processes import is_alive
from runtime_bundle import Runtime

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]

Bundle = Callable[..., Path]


@pytest.fixture
def running(runtime: Runtime, bundle: Bundle) -> Runtime:
    """The runtime with a container `c` that sleeps."""
    runtime.ok("create", "--bundle", bundle("exec sleep 600"), "c")
    runtime.ok("start", "c")
    return runtime


class Console:
    """The receiver of a terminal, as conmon is one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.fd = -1

    def accept(self) -> None:
        """Take the terminal."""
        connection, _ = self._listener.accept()
        with connection:
            _, fds, _, _ = socket.recv_fds(connection, 4096, 1)
        self.fd = fds[0]

    def read_to_the_end(self) -> str:
        """Read until nobody has the other side any more."""
        said = b""
        while True:
            try:
                chunk = os.read(self.fd, 4096)
            except OSError:  # EIO
                return said.decode()
            said += chunk

    def close(self) -> None:
        """Close all of it."""
        self._listener.close()
        if self.fd >= 0:
            os.close(self.fd)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A console socket."""
    made = Console(tmp_path / "console")
    yield made
    made.close()


def test_options(running: Runtime) -> None:
    """Output, status, --cwd, --env and the container's own environment."""
    script = 'pwd; echo "$A $TERM"; echo no >&2; exit 9'
    result = running("exec", "--cwd", "/usr", "--env", "A=b c", "c", "sh", "-c", script)
    assert (result.status, result.stdout, result.stderr) == (9, "/usr\nb c xterm\n", "no\n")


def test_a_process_of_a_file(running: Runtime, tmp_path: Path) -> None:
    """--process has the whole of it, as conmon gives it."""
    process = {"args": ["sh", "-c", "pwd; env"], "cwd": "/tmp", "env": ["PATH=/usr/bin", "A=1"]}
    (tmp_path / "process.json").write_text(json.dumps({**process, "user": {"uid": 0, "gid": 0}}))
    out = running.ok("exec", "--process", tmp_path / "process.json", "c")
    assert out.splitlines()[0] == "/tmp"
    assert "A=1" in out.splitlines()
    assert "TERM=xterm" not in out


def test_it_is_inside(running: Runtime) -> None:
    """It is in every namespace of the container, and has no descriptor but three."""
    pid = running.state("c")["pid"]
    names = ("ipc", "mnt", "net", "pid", "user", "uts", "cgroup", "time")
    paths = [f"/proc/self/ns/{name}" for name in names]
    out = running.ok("exec", "c", "readlink", *paths)
    assert out.split() == [os.readlink(f"/proc/{pid}/ns/{name}") for name in names]
    fds = running.ok("exec", "c", "ls", "/proc/self/fd").split()
    assert fds == ["0", "1", "2", "3"]  # 3 is how ls reads the directory


@pytest.mark.parametrize(
    ("words", "status"),
    [(("no-such-program",), 127), (("/tmp",), 126), (("sh", "-c", "kill -9 $$"), 137)],
)
def test_how_it_ends(running: Runtime, words: tuple[str, ...], status: int) -> None:
    """Its status is the shell's; the container lives on."""
    assert running("exec", "c", *words).status == status
    assert running.status("c") == "running"


def test_signals_are_passed_on(running: Runtime) -> None:
    """A signal to the verb is the process's."""
    script = "trap 'echo term; exit 3' TERM; echo up; while :; do sleep 0.05; done"
    process = running.start("exec", "c", "sh", "-c", script)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.terminate()
        assert process.communicate(timeout=20)[0] == "term\n"
    assert process.returncode == 3


def test_detached(running: Runtime, tmp_path: Path) -> None:
    """--detach returns at once; --pid-file has the process that stays."""
    file = tmp_path / "pid"
    null = ("sh", "-c", "exec sleep 601 >/dev/null 2>&1")
    running.ok("exec", "--detach", "--pid-file", file, "c", *null)
    pid = int(file.read_text())
    assert is_alive(pid)
    assert str(pid) in running.ok("ps", "c")
    running.ok("kill", "c", "KILL")
    running.wait_for("c", "stopped")
    assert not is_alive(pid)


def test_ps(running: Runtime) -> None:
    """Ps lists the processes by both IDs."""
    pid = running.state("c")["pid"]
    title, line = running.ok("ps", "c").splitlines()
    assert title.split() == ["PID", "PID", "INSIDE", "UID", "COMMAND"]
    assert line.split() == [str(pid), "1", str(os.getuid()), "sleep", "600"]
    assert json.loads(running.ok("ps", "--format", "json", "c")) == [pid]


def test_preserved_descriptors(running: Runtime, bundle: Bundle, tmp_path: Path) -> None:
    """--preserve-fds passes that many from 3 on, and no more; to a container, too."""
    script = "echo passed >&3; ls /proc/self/fd"
    made = bundle(f"exec >&3; {script}")
    verbs = (
        ("exec", "--preserve-fds=1", "c", "sh", "-c", f"exec >&3; {script}"),
        ("run", "--preserve-fds=1", "--bundle", made, "other"),
    )
    for verb in verbs:
        passed = tmp_path / verb[0]
        opened = f'exec "$@" 3>{passed} 4>/dev/null'
        subprocess.run(
            ["sh", "-c", opened, "sh", *running.command(*verb)],
            env=dict(running.environ),
            check=True,
            timeout=30,
        )
        # 4 is how ls reads the directory
        assert passed.read_text().split() == ["passed", "0", "1", "2", "3", "4"]
    for verb in verbs:
        words = [word.replace("fds=1", "fds=2") for word in map(str, verb)]
        result = running("--log", tmp_path / "log", *words)
        assert (result.status, result.stderr) == (
            125,
            "rootless-runtime: --preserve-fds counts a descriptor that is not open: 3\n",
        )


def test_a_terminal(running: Runtime, console: Console) -> None:
    """--tty has a terminal of the container's devpts, whose other side is sent to the socket."""
    words = ("exec", "--tty", "--console-socket", console.path, "c")
    with running.start(*words, "sh", "-c", "tty; read line; echo got $line") as process:
        console.accept()
        said = os.read(console.fd, 64).decode()
        os.write(console.fd, b"typed\n")
        said += console.read_to_the_end()
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert said == "/dev/pts/0\r\ntyped\r\ngot typed\r\n"


def test_the_containers_own_terminal(runtime: Runtime, bundle: Bundle, console: Console) -> None:
    """process.terminal: the same for the container, whose size is config.json's."""

    def edit(spec: dict[str, dict[str, object]]) -> None:
        spec["process"].update(terminal=True)

    folder = bundle("tty; ls -l /dev/console; read line; echo got $line", edit)
    with runtime.start(
        "create", "--bundle", folder, "--console-socket", console.path, "c"
    ) as process:
        console.accept()
        assert process.wait(20) == 0
    runtime.ok("start", "c")
    os.write(console.fd, b"typed\n")
    said = console.read_to_the_end()
    assert "/dev/pts/0\r\n" in said  # before the echo of what was typed, or after it
    assert said.endswith("got typed\r\n")
    runtime.wait_for("c", "stopped")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("none", "true"), "no such container: none"),
        (("c",), "which command is to be run? (name it after the ID)"),
        (("--tty", "c", "true"), "nobody takes its other side (name a --console-socket)"),
        (("--cwd", "x", "c", "true"), "the working directory must be an absolute path: x"),
        (("--cwd", "/none", "c", "true"), "cannot enter the working directory"),
        (("--user", "root", "c", "true"), "a user must have the form UID[:GID]: root"),
        (("--cap", "CAP_X", "c", "true"), "CAP_X"),
        (("--console-socket", "/none", "--tty", "c", "true"), "cannot reach the console socket"),
    ],
)
def test_misuse(running: Runtime, words: tuple[str, ...], says: str) -> None:
    """Every misuse is status 125 and one line."""
    result = running("exec", *words)
    assert (result.status, result.stdout, result.stderr.count("\n")) == (125, "", 1)
    assert says in result.stderr


def test_in_one_that_does_not_run(runtime: Runtime, bundle: Bundle) -> None:
    """A container that waits, or has stopped, says so."""
    runtime.ok("create", "--bundle", bundle("true"), "c")
    assert "cannot execute in a container that is created: c" in runtime("exec", "c", "true").stderr
    runtime.ok("start", "c")
    runtime.wait_for("c", "stopped")
    assert "cannot execute in a container that is stopped: c" in runtime("exec", "c", "true").stderr


def test_the_container_ends_while_it_runs(running: Runtime) -> None:
    """The end of the container is the end of what is executed in it."""
    process = running.start("exec", "c", "sh", "-c", "echo up; exec sleep 600")
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        running.ok("kill", "c", "KILL")
        process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGKILL
