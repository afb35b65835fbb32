"""podman's everyday commands, as an ordinary user, over `rootless-runtime`.

Where the runtime's part is a facility, it is the container's process that shows it.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from podman_session import IMAGE, PLAIN, Podman
from pseudo_terminal import CTRL_C, PseudoTerminal

pytestmark = [pytest.mark.needs_user, pytest.mark.needs_subid, pytest.mark.slow]

WaitUntil = Callable[[Callable[[], bool]], None]

SERVICE = """
trap 'echo reloaded' USR1
trap 'echo bye; exit 3' TERM
echo up
while :; do sleep 0.1; done
"""


def service(podman: Podman, wait_until: WaitUntil, *options: str) -> str:
    """Start a container in the background that answers signals; return its name once it is up."""
    name = f"service-{os.urandom(4).hex()}"
    podman.ok("run", "-d", f"--name={name}", *PLAIN, *options, IMAGE, "bash", "-c", SERVICE)
    wait_until(lambda: podman.ok("logs", name) == "up\n")
    return name


class TestRun:
    """podman run: output, input, and how it ends."""

    def test_output_and_input(self, by_runtime: Podman) -> None:
        """Both outputs and the input are the container's."""
        result = by_runtime(
            "run", "--rm", "-i", *PLAIN, IMAGE, "sh", "-c", "cat; pwd >&2", stdin="a"
        )
        assert (result.status, result.stdout, result.stderr) == (0, "a", "/\n")

    @pytest.mark.parametrize(
        ("words", "status"),
        [
            (("true",), 0),
            (("sh", "-c", "exit 7"), 7),
            (("no-such-program",), 127),
            (("/etc/passwd",), 126),
            (("/etc",), 126),
            (("sh", "-c", "sleep 600 & kill -9 $!; wait $!"), 137),
        ],
    )
    def test_status(self, by_runtime: Podman, words: tuple[str, ...], status: int) -> None:
        """Podman's status is the command's, or 126 or 127 where there is none to run."""
        assert by_runtime("run", "--rm", *PLAIN, IMAGE, *words).status == status
        assert by_runtime.ok("ps", "-aq") == ""

    def test_what_the_runtime_refuses(self, by_runtime: Podman) -> None:
        """What podman shows of a failure is the runtime's line, and nothing is left of it."""
        result = by_runtime("run", "--rm", *PLAIN, "--sysctl=net.nothing=1", IMAGE, "true")
        said = "cannot set the sysctl: No such file or directory: net.nothing=1"
        assert (result.status, result.stderr.count("\n")) == (127, 1)  # podman's, by "No such file"
        assert said in result.stderr
        assert by_runtime.ok("ps", "-aq") == ""

    def test_entrypoint_and_environment(self, by_runtime: Podman) -> None:
        """--entrypoint, -e and -w are the process's."""
        options = ("--entrypoint", '["sh", "-c"]', "-e", "A=1 2", "-w", "/usr")
        out = by_runtime.ok("run", "--rm", *PLAIN, *options, IMAGE, 'echo "$A $PWD"')
        assert out == "1 2 /usr\n"

    def test_init(self, by_runtime: Podman) -> None:
        """--init has podman's init as the first process."""
        init = by_runtime.folder / "init"
        init.write_text('#!/bin/sh\nshift\n"$@"\n')
        init.chmod(0o755)
        options = (*PLAIN, "--init", f"--init-path={init}")
        out = by_runtime.ok("run", "--rm", *options, IMAGE, "cat", "/proc/1/cmdline")
        assert out.endswith("init\0--\0cat\0/proc/1/cmdline\0")


@pytest.mark.parametrize(
    ("options", "script", "expected"),
    [
        (("--user=daemon",), "id", r"uid=1\(daemon\) gid=1\(daemon\) groups=1\(daemon\)"),
        (("--user=5:7", "--group-add=9"), "id -u; id -G", "5\n7 9"),
        (("--read-only",), "echo >/x || echo >/tmp/x && echo read-only", "read-only"),
        (("--tmpfs=/t:size=1m",), "df --output=source,size /t | tail -1", "tmpfs +1024"),
        (("--shm-size=10m",), "df --output=size /dev/shm | tail -1", " *10240"),
        (("--cap-drop=all",), "grep CapEff /proc/self/status", "CapEff:\t0{16}"),
        (
            ("--cap-drop=all", "--cap-add=net_raw"),
            "grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status",
            "CapPrm:\t0{12}2000\nCapEff:\t0{12}2000\nCapBnd:\t0{12}2000",
        ),
        (("--security-opt=no-new-privileges",), "grep NoNewP /proc/self/status", "NoNewPrivs:\t1"),
        (("--ulimit=nofile=100:200",), "ulimit -n; ulimit -Hn", "100\n200"),
        (("--hostname=elsewhere",), "hostname", "elsewhere"),
        (("--umask=077",), "umask", "0077"),
        (("--oom-score-adj=500",), "cat /proc/self/oom_score_adj", "500"),
        (("--sysctl=kernel.msgmax=65536",), "cat /proc/sys/kernel/msgmax", "65536"),
        (("--device=/dev/fuse",), "stat -c %F,%t,%T /dev/fuse", "character special file,a,e5"),
        (("--ipc=private",), "ls /proc/sys/fs/mqueue/queues_max", "/proc/sys/fs/mqueue/queues_max"),
        (("--ipc=none",), "test -e /dev/shm || echo none", "none"),
        (("--security-opt=unmask=ALL",), "ls /proc/acpi /sys/firmware >/dev/null; echo ran", "ran"),
        (("--privileged",), "grep CapEff /proc/self/status; test -e /dev/kmsg", "CapEff:.*f{6}"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_option(by_runtime: Podman, options: tuple[str, ...], script: str, expected: str) -> None:
    """What podman asks for by an option holds for the container's process."""
    out = by_runtime.ok("run", "--rm", *PLAIN, *options, IMAGE, "sh", "-c", script)
    assert re.fullmatch(expected, out.rstrip("\n")), out


def test_volumes(by_runtime: Podman, tmp_path: Path) -> None:
    """-v binds a folder and makes a named volume; `ro` holds."""
    (tmp_path / "file").write_text("of the host")
    options = ("-v", f"{tmp_path}:/a", "-v", f"{tmp_path}:/b:ro", "-v", "kept:/c")
    script = "cat /a/file; echo new >/a/new; cp /a/new /c/new; echo >/b/x"
    result = by_runtime("run", "--rm", *PLAIN, *options, IMAGE, "sh", "-c", script)
    assert result.stdout == "of the host"
    assert "Read-only file system" in result.stderr
    assert (tmp_path / "new").read_text() == "new\n"
    assert by_runtime.ok("run", "--rm", *PLAIN, "-v", "kept:/c", IMAGE, "cat", "/c/new") == "new\n"
    by_runtime.ok("volume", "rm", "kept")


def test_keep_id(by_runtime: Podman) -> None:
    """--userns=keep-id is a user namespace inside podman's, in which the caller is himself."""
    out = by_runtime.ok(
        "run",
        "--rm",
        *PLAIN,
        "--userns=keep-id",
        IMAGE,
        "sh",
        "-c",
        "id -u; cat /proc/self/uid_map",
    )
    uid, first, own = (line.split() for line in out.splitlines()[:3])
    assert uid == [str(os.getuid())]
    assert first == ["0", "1", str(os.getuid())]
    assert own == [str(os.getuid()), "0", "1"]


def test_namespaces_of_the_host(by_runtime: Podman) -> None:
    """--pid, --network, --uts and --cgroupns=host leave the container in the caller's ones."""
    names = ("pid", "net", "uts", "cgroup")
    options = (f"--{'network' if name == 'net' else name}=host" for name in names[:3])
    words = ("readlink", *(f"/proc/self/ns/{name}" for name in names))
    out = by_runtime.ok("run", "--rm", *options, "--cgroupns=host", IMAGE, *words)
    assert out.split() == [os.readlink(f"/proc/self/ns/{name}") for name in names]


class TestTerminal:
    """podman run -it and exec -it on a terminal."""

    def test_a_shell(self, by_runtime: Podman) -> None:
        """The size is the window's, follows it, and Ctrl-C ends the job and not the shell."""
        words = by_runtime.command("run", "--rm", "-it", *PLAIN, IMAGE, "bash", "--norc")
        with PseudoTerminal(words, by_runtime.environ) as terminal:
            terminal.type("PS1='> '; tty; echo si''ze $(stty size)\r")
            terminal.expect("/dev/pts/0")
            terminal.expect("size 31 97")
            terminal.resize(50, 132)
            terminal.type(
                "while [ \"$(stty size)\" != '50 132' ]; do sleep 0.1; done; echo gro''wn\r"
            )
            terminal.expect("grown")
            terminal.type("sh -c 'echo be''gun; exec sleep 600'\r")
            terminal.expect("begun")
            terminal.type(CTRL_C)
            terminal.type("echo status=$?\r")
            terminal.expect("status=130")
            terminal.type("exit 3\r")
            assert terminal.finish()[0] == 3
            assert terminal.attributes() == terminal.before

    def test_exec(self, by_runtime: Podman, wait_until: WaitUntil) -> None:
        """Exec -it has a terminal of its own, in the container's devpts."""
        name = service(by_runtime, wait_until)
        script = "tty; stty size; read line; echo got $line; exit 4"
        words = by_runtime.command("exec", "-it", name, "sh", "-c", script)
        with PseudoTerminal(words, by_runtime.environ) as terminal:
            terminal.expect("/dev/pts/")
            terminal.expect("31 97")
            terminal.type("typed\r")
            terminal.expect("got typed")
            assert terminal.finish()[0] == 4

    def test_start_and_attach(self, by_runtime: Podman) -> None:
        """Start -ai gives the terminal of a created container to the caller."""
        by_runtime.ok("create", "-it", "--name=later", *PLAIN, IMAGE, "sh", "-c", "tty; read line")
        words = by_runtime.command("start", "-ai", "later")
        with PseudoTerminal(words, by_runtime.environ) as terminal:
            terminal.expect("/dev/pts/0")
            terminal.type("\r")
            assert terminal.finish()[0] == 0


class TestExec:
    """podman exec."""

    def test_words(self, by_runtime: Podman, wait_until: WaitUntil) -> None:
        """-e, -u, -w, -i and the exit status."""
        name = service(by_runtime, wait_until)
        options = ("-i", "-e", "X=y z", "-u", "daemon", "-w", "/usr")
        script = 'id -un; pwd; echo "$X"; cat; exit 9'
        result = by_runtime("exec", *options, name, "sh", "-c", script, stdin="in")
        assert (result.status, result.stdout) == (9, "daemon\n/usr\ny z\nin")
        assert by_runtime("exec", name, "no-such-program").status == 127
        assert by_runtime("exec", name, "/etc").status == 126
        killed = by_runtime("exec", name, "bash", "-c", "kill -9 $$")
        assert killed.status == 137

    def test_is_inside(self, by_runtime: Podman, wait_until: WaitUntil) -> None:
        """It is in all namespaces of the container, and has its capabilities and no more."""
        name = service(by_runtime, wait_until, "--cap-drop=all", "--cap-add=chown")
        script = "readlink /proc/$0/ns/*; grep Cap /proc/$0/status"
        # The first process may not be looked at for its namespaces: it runs without ptrace's right.
        pid = by_runtime.inspect(name, "{{.State.Pid}}")
        outside = by_runtime.ok("unshare", "sh", "-c", "readlink /proc/$0/ns/*", pid)
        inside = by_runtime.ok("exec", name, "sh", "-c", script, "self")
        assert inside.startswith(outside)
        assert "CapEff:\t0000000000000001" in inside
        assert "CapBnd:\t0000000000000001" in inside

    def test_detached(self, by_runtime: Podman, wait_until: WaitUntil) -> None:
        """Exec -d returns at once, and its process runs to its end."""
        name = service(by_runtime, wait_until)
        by_runtime.ok("exec", "-d", name, "sh", "-c", "echo made >/made")
        wait_until(lambda: by_runtime("exec", name, "cat", "/made").stdout == "made\n")


class TestLife:
    """A container in the background."""

    def test_logs_signals_and_stop(self, by_runtime: Podman, wait_until: WaitUntil) -> None:
        """Logs -f follows up to the end; kill reaches a trap, stop another, whose status counts."""
        name = service(by_runtime, wait_until)
        follower = by_runtime.start("logs", "-f", name)
        by_runtime.ok("kill", "-s", "USR1", name)
        wait_until(lambda: "reloaded" in by_runtime.ok("logs", name))
        waiter = by_runtime.start("wait", name)
        by_runtime.ok("stop", name)
        assert waiter.communicate(timeout=20)[0] == "3\n"
        assert follower.communicate(timeout=20)[0] == "up\nreloaded\nbye\n"
        assert by_runtime.inspect(name, "{{.State.Status}} {{.State.ExitCode}}") == "exited 3"

    def test_stop_kills_in_the_end(self, by_runtime: Podman) -> None:
        """One that ignores the stop signal is killed when its time is up."""
        by_runtime.ok("run", "-d", "--name=deaf", *PLAIN, IMAGE, "sleep", "600")
        by_runtime.ok("stop", "--time=1", "deaf")
        assert by_runtime.inspect("deaf", "{{.State.ExitCode}}") == "137"

    def test_restart(self, by_runtime: Podman, wait_until: WaitUntil) -> None:
        """Restart runs the same container once more: its files are there, its process is new."""
        name = service(by_runtime, wait_until)
        by_runtime.ok("exec", name, "touch", "/kept")
        before = by_runtime.inspect(name, "{{.State.Pid}}")
        by_runtime.ok("restart", name)
        wait_until(lambda: by_runtime.ok("logs", name) == "up\nbye\nup\n")
        assert by_runtime.inspect(name, "{{.State.Pid}}") != before
        by_runtime.ok("exec", name, "test", "-e", "/kept")

    def test_inspect_and_state(self, by_runtime: Podman, wait_until: WaitUntil) -> None:
        """podman, the runtime and the kernel name one process, which is the container's."""
        name = service(by_runtime, wait_until)
        runtime, pid, full = by_runtime.inspect(
            name, "{{.OCIRuntime}} {{.State.Pid}} {{.Id}}"
        ).split()
        assert runtime == "rl"
        assert f'"pid": {pid},' in by_runtime.runtime("state", full).stdout
        assert Path(f"/proc/{pid}/comm").read_text() == "bash\n"

    def test_top(self, by_runtime: Podman) -> None:
        """Top shows the container's processes; podman wants a cgroup for it."""
        by_runtime.ok("run", "-d", "--name=seen", "--network=none", IMAGE, "sleep", "600")
        title, line = by_runtime.ok("top", "seen", "pid", "args").splitlines()
        assert title.split() == ["PID", "COMMAND"]
        assert line.split() == ["1", "sleep", "600"]

    def test_cp_diff_and_commit(
        self, by_runtime: Podman, wait_until: WaitUntil, tmp_path: Path
    ) -> None:
        """Files go in and out of a running container, and an image is made of it."""
        name = service(by_runtime, wait_until)
        (tmp_path / "in").write_text("copied\n")
        by_runtime.ok("cp", str(tmp_path / "in"), f"{name}:/in")
        by_runtime.ok("exec", name, "sh", "-c", "cat /in /in >/twice")
        by_runtime.ok("cp", f"{name}:/twice", str(tmp_path / "out"))
        assert (tmp_path / "out").read_text() == "copied\ncopied\n"
        assert {"A /in", "A /twice"} <= set(by_runtime.ok("diff", name).splitlines())
        by_runtime.ok("commit", "-q", name, "committed")
        assert by_runtime.ok("run", "--rm", *PLAIN, "committed", "cat", "/in") == "copied\n"
        by_runtime.ok("rmi", "committed")

    def test_health(self, by_runtime: Podman) -> None:
        """A health check is run in the container; its status is what it says."""
        check = ("--health-cmd=test -e /healthy", "--health-interval=disable")
        by_runtime.ok("run", "-d", "--name=ill", *check, *PLAIN, IMAGE, "sleep", "600")
        assert by_runtime("healthcheck", "run", "ill").status == 1
        by_runtime.ok("exec", "ill", "touch", "/healthy")
        assert by_runtime("healthcheck", "run", "ill").status == 0

    def test_removed_when_it_ends(self, by_runtime: Podman, wait_until: WaitUntil) -> None:
        """Run -d --rm removes the container when it ends."""
        by_runtime.ok("run", "-d", "--rm", *PLAIN, IMAGE, "sleep", "0.5")
        wait_until(lambda: by_runtime.ok("ps", "-aq") == "")

    def test_initialized(self, by_runtime: Podman) -> None:
        """Init creates; start then runs it, or rm removes it as it waits."""
        for name in ("first", "second"):
            by_runtime.ok("create", f"--name={name}", *PLAIN, IMAGE, "echo", "ran")
            by_runtime.ok("init", name)
            assert by_runtime.inspect(name, "{{.State.Status}}") == "initialized"
            assert by_runtime.ok("logs", name) == ""
        assert by_runtime.ok("start", "-a", "first") == "ran\n"
        by_runtime.ok("rm", "-f", "second")
