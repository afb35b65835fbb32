"""The terminal of a container and the caller's: `--tty` and `--interactive` on a real one."""

import os
import select
import signal
import subprocess
import termios
from collections.abc import Callable

import pytest
from executable import Rootless
from pseudo_terminal import CTRL_C, CTRL_D, CTRL_Z, SIZE, PseudoTerminal
from run_processes import Processes

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]


def on_terminal(rootless: Rootless, *words: str, **streams: int | None) -> PseudoTerminal:
    """Run `rootless run WORDS` on a terminal."""
    return PseudoTerminal(rootless.command("run", *words), rootless.home.environ, **streams)


@pytest.mark.both_users
@pytest.mark.parametrize(
    ("type_", "said_type"), [((), "xterm"), (("--env", "TERM"), "xterm-256color")]
)
def test_size_name_and_type(demo: Rootless, type_: tuple[str, ...], said_type: str) -> None:
    """The container's terminal has the caller's size, names that are right inside, and a type."""
    script = 'stty size; tty; echo "$TERM"; tty </dev/console; ls -l /proc/self/fd/0'
    environ = {**demo.home.environ, "TERM": "xterm-256color"}
    command = demo.command("run", "-it", *type_, "debian-demo", "sh", "-c", script)
    with PseudoTerminal(command, environ) as terminal:
        status, said = terminal.finish()
    lines = said.replace("\r", "").splitlines()
    assert status == 0
    assert lines[:3] == [f"{SIZE[0]} {SIZE[1]}", "/dev/pts/0", said_type]
    assert lines[3] in ("/dev/console", "/dev/pts/0")
    assert lines[4].endswith("-> /dev/pts/0")


def test_belongs_to_the_user_inside(demo: Rootless) -> None:
    """The terminal is the workload's user's, who may open it anew."""
    words = (
        "-it",
        "--user",
        "daemon",
        "debian-demo",
        "sh",
        "-c",
        "stat -c %U $(tty); echo x >$(tty)",
    )
    with on_terminal(demo, *words) as terminal:
        assert terminal.finish() == (0, "daemon\r\nx\r\n")


@pytest.mark.both_users
def test_a_new_size_passes_on(demo: Rootless) -> None:
    """A window that is resized resizes the container's terminal, and its programs are told."""
    script = (
        "import os, signal, time\n"
        "def tell(*_): os.write(1, str(os.get_terminal_size()).encode())\n"
        "signal.signal(signal.SIGWINCH, tell)\n"
        "os.write(1, b'ready\\n')\n"  # a buffer must not be entered twice
        "while True: time.sleep(0.05)\n"
    )
    with on_terminal(demo, "-it", "debian-demo", "python3", "-c", script) as terminal:
        terminal.expect("ready")
        terminal.resize(50, 132)
        assert "columns=132, lines=50" in terminal.expect(")")
        terminal.type(CTRL_C)
        terminal.finish()


def test_without_input(demo: Rootless) -> None:
    """`-t` alone gives a terminal and leaves the caller's as it is; what is typed stays there."""
    # By exec: dash forgets a SIGINT that comes just before it forks a command.
    script = "tty; echo ready; exec sleep 600"
    with on_terminal(demo, "-t", "debian-demo", "sh", "-c", script) as terminal:
        assert "/dev/pts/0" in terminal.expect("ready")
        assert terminal.attributes() == terminal.before
        terminal.type(CTRL_C)  # the caller's terminal makes a SIGINT of it
        status, _ = terminal.finish()
    assert status == 130


class TestCallersTerminal:
    """What the caller's terminal is like afterwards."""

    @pytest.mark.both_users
    def test_is_raw_and_put_back(self, demo: Rootless) -> None:
        """It is raw while the container has it, and as it was afterwards."""
        with on_terminal(
            demo, "-it", "debian-demo", "sh", "-c", "echo ready; read line"
        ) as terminal:
            terminal.expect("ready")
            assert terminal.is_raw
            terminal.type("\r")
            assert terminal.finish()[0] == 0
            assert terminal.attributes() == terminal.before

    @pytest.mark.parametrize("victim", ["workload", "init", "supervisor"])
    def test_is_put_back_after_a_kill(self, demo: Rootless, victim: str) -> None:
        """It is as it was after kill -9 of any process behind the command line."""
        with on_terminal(demo, "-it", "debian-demo", "sleep", "600") as terminal:
            processes = Processes.when_running(terminal.process.pid, "sleep")
            assert terminal.is_raw
            os.kill(getattr(processes, victim), signal.SIGKILL)
            status, said = terminal.finish()
            assert terminal.attributes() == terminal.before
        if victim == "supervisor":
            assert (status, said.count("\n")) == (125, 1)
            assert "its supervisor was killed" in said or "its keeper was killed" in said
        else:
            assert (status, said) == (137, "")

    def test_is_put_back_by_the_supervisor(self, demo: Rootless, wait_until: WaitUntil) -> None:
        """It is as it was after kill -9 of the command line itself."""
        with on_terminal(demo, "-it", "debian-demo", "sleep", "600") as terminal:
            Processes.when_running(terminal.process.pid, "sleep")
            assert terminal.is_raw
            terminal.process.kill()
            wait_until(lambda: terminal.attributes() == terminal.before)

    def test_is_left_as_its_shell_set_it(self, demo: Rootless, wait_until: WaitUntil) -> None:
        """After kill -9 of the command line a shell's own setting is not overwritten."""
        with on_terminal(demo, "-it", "debian-demo", "sleep", "600") as terminal:
            processes = Processes.when_running(terminal.process.pid, "sleep")
            os.kill(processes.supervisor, signal.SIGSTOP)
            terminal.process.kill()
            terminal.process.wait()
            chosen = terminal.attributes()
            chosen[3] |= termios.ISIG  # line editors keep the signals
            termios.tcsetattr(terminal.slave, termios.TCSANOW, chosen)
            os.kill(processes.supervisor, signal.SIGCONT)
            wait_until(lambda: not os.path.exists(f"/proc/{processes.supervisor}"))
            assert terminal.attributes() == chosen

    def test_is_put_back_after_a_signal(self, demo: Rootless) -> None:
        """It is as it was when the command line gets a SIGTERM."""
        with on_terminal(demo, "-it", "debian-demo", "sleep", "600") as terminal:
            Processes.when_running(terminal.process.pid, "sleep")
            terminal.process.terminate()
            assert terminal.finish()[0] == 143
            assert terminal.attributes() == terminal.before

    def test_is_put_back_when_nothing_runs(self, demo: Rootless) -> None:
        """It is as it was when the command is not found."""
        with on_terminal(demo, "-it", "debian-demo", "no-such-program") as terminal:
            status, said = terminal.finish()
            assert (status, said.count("\n")) == (127, 1)
            assert terminal.attributes() == terminal.before


class TestKeys:
    """Keys that a terminal makes signals of."""

    @pytest.mark.both_users
    def test_ctrl_c_is_for_the_job_inside(self, demo: Rootless) -> None:
        """Ctrl-C ends the foreground job of a shell inside; shell and command line live on."""
        with on_terminal(demo, "-it", "debian-demo", "bash", "--norc") as terminal:
            terminal.type("PS1='> '\r")
            terminal.type("sh -c 'echo be''gun; exec sleep 600'\r")
            terminal.expect("begun")
            terminal.type(CTRL_C)
            terminal.type("echo status=$?\r")
            terminal.expect("status=130")
            terminal.type("exit 3\r")
            assert terminal.finish()[0] == 3

    def test_ctrl_c_ends_a_plain_command(self, demo: Rootless) -> None:
        """Ctrl-C ends a command that is alone, with status 130 and not a line said."""
        with on_terminal(demo, "-it", "debian-demo", "sleep", "600") as terminal:
            Processes.when_running(terminal.process.pid, "sleep")
            terminal.type(CTRL_C)
            assert terminal.finish() == (130, "^C")

    @pytest.mark.both_users
    def test_job_control_inside(self, demo: Rootless) -> None:
        """Ctrl-Z stops a shell's job inside; jobs, bg, fg and wait work as on any terminal."""
        with on_terminal(demo, "-it", "debian-demo", "bash", "--norc") as terminal:
            terminal.type("PS1='> '\r")
            terminal.type("sh -c 'echo be''gun; read line; echo got $line'\r")
            terminal.expect("begun")
            terminal.type(CTRL_Z)
            terminal.expect("Stopped")
            terminal.type("jobs; echo sta''tus=$?\r")
            terminal.expect("Stopped")
            terminal.expect("status=0")
            terminal.type("fg\r")
            terminal.expect("read line")
            terminal.type("typed\r")
            terminal.expect("got typed")
            terminal.type("exit\r")
            assert terminal.finish()[0] == 0

    def test_ctrl_d_ends_the_input(self, demo: Rootless) -> None:
        """Ctrl-D ends cat."""
        with on_terminal(demo, "-it", "debian-demo", "cat") as terminal:
            Processes.when_running(terminal.process.pid, "cat")
            terminal.type("line\r")
            terminal.expect("line\r\nline\r\n")
            terminal.type(CTRL_D)
            assert terminal.finish()[0] == 0


class TestStopped:
    """The command line as a job of the caller's shell."""

    def test_a_stop_gives_the_terminal_back(self, demo: Rootless, wait_until: WaitUntil) -> None:
        """SIGTSTP stops workload and command line with the terminal as it was; SIGCONT resumes."""
        with on_terminal(demo, "-it", "debian-demo", "cat") as terminal:
            processes = Processes.when_running(terminal.process.pid, "cat")
            both = (processes.command_line, processes.workload)
            terminal.process.send_signal(signal.SIGTSTP)
            wait_until(lambda: all(state(pid) == "T" for pid in both))
            assert terminal.attributes() == terminal.before
            terminal.process.send_signal(signal.SIGCONT)
            wait_until(lambda: terminal.is_raw and state(processes.workload) == "S")
            terminal.type("on\r")
            terminal.expect("on\r\non\r\n")
            terminal.type(CTRL_D)
            assert terminal.finish()[0] == 0

    def test_fg_of_a_shell(self, demo: Rootless) -> None:
        """A shell's Ctrl-Z and fg of a run without a terminal of its own stop it and resume it."""
        line = " ".join(demo.command("run", "-i", "debian-demo", "sh", "-c"))
        environ = {**demo.home.environ, "PS1": "> "}
        with PseudoTerminal(["bash", "--norc", "-i"], environ) as terminal:
            terminal.expect("> ")
            terminal.type(f"{line} \"echo be''gun; exec cat\"\r")
            terminal.expect("begun\r\n")
            terminal.type("one\r")
            terminal.expect("one\r\none\r\n")
            terminal.type(CTRL_Z)
            terminal.expect("Stopped")
            terminal.expect("> ")
            terminal.type("fg\r")
            terminal.expect('exec cat"\r\n')
            terminal.type("two\r")
            terminal.expect("two\r\ntwo\r\n")
            terminal.type(CTRL_D)
            terminal.type("exit 4\r")
            assert terminal.finish()[0] == 4


def state(pid: int) -> str:
    """Return a process's state letter (proc(5))."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


class TestStreams:
    """Input and output that are no terminals."""

    def test_a_pipe_without_a_terminal(self, demo: Rootless) -> None:
        """`-i` passes a pipe as it is, bytes that a terminal would change included."""
        data = "".join(chr(n) for n in range(128) if chr(n) != "\r") * 1000
        assert demo.ok("run", "-i", "debian-demo", "cat", stdin=data) == data

    def test_no_input_without_the_option(self, demo: Rootless) -> None:
        """Without `-i` the command's input is empty."""
        assert demo.ok("run", "debian-demo", "cat", stdin="not for it") == ""

    @pytest.mark.parametrize(("text", "answer"), [("one\n", "one"), ("one", "one"), ("", "")])
    def test_a_terminal_fed_by_a_pipe(self, demo: Rootless, text: str, answer: str) -> None:
        """`-it` with a pipe for input has a terminal inside, and the pipe's end ends the input."""
        script = "import sys; print(sys.stdin.isatty(), repr(sys.stdin.read().strip()))"
        said = demo.ok("run", "-it", "debian-demo", "python3", "-c", script, stdin=text)
        assert said.endswith(f"True {answer!r}\n")

    def test_all_output_arrives(self, demo: Rootless) -> None:
        """Ten megabytes through the terminal arrive whole, to a reader that is slow at first."""
        program = "import sys; sys.stdout.write('0123456789abcde\\n' * 655360)"
        process = demo.start(
            "run", "-t", "debian-demo", "python3", "-c", program, stdout=subprocess.PIPE
        )
        with process:
            assert process.stdout is not None
            data = process.stdout.read()
        assert process.returncode == 0
        assert data == b"0123456789abcde\r\n" * 655360

    def test_the_last_words_arrive(self, demo: Rootless) -> None:
        """What a command leaves in its terminal when it ends is not lost."""
        program = "import sys; sys.stdout.write('x' * 60000)"
        assert demo.ok("run", "-t", "debian-demo", "python3", "-c", program) == "x" * 60000

    def test_the_reader_goes(self, demo: Rootless) -> None:
        """A reader that has enough ends the run without a word and without a traceback."""
        line = " ".join(demo.command("run", "-t", "debian-demo", "yes"))
        done = subprocess.run(
            ["bash", "-c", f"{line} | head -1; echo ${{PIPESTATUS[0]}}"],
            env=dict(demo.home.environ),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("y\n141\n", "")

    def test_a_reader_that_does_not_read(self, demo: Rootless, wait_until: WaitUntil) -> None:
        """Output that nobody reads keeps no signal from being passed on."""
        reader, writer = os.pipe()
        process = demo.start("run", "-t", "debian-demo", "yes", stdout=writer)
        with process:
            Processes.when_running(process.pid, "yes")
            wait_until(lambda: is_full(writer))
            os.close(writer)
            process.terminate()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)  # the output is still to be read
            process.terminate()  # nothing runs that could be told: so it is for the command line
            assert process.wait(10) == 143
            os.close(reader)

    def test_a_terminal_that_is_closed_inside(self, demo: Rootless) -> None:
        """A command that closes its terminal and opens it again later is still heard."""
        script = "exec </dev/null >/dev/null 2>&1; sleep 0.5; echo again >/dev/tty"
        assert demo.ok("run", "-t", "debian-demo", "sh", "-c", script) == "again\n"


def is_full(writer: int) -> bool:
    """Tell whether a pipe takes no more."""
    return not select.select([], [writer], [], 0)[1]


def test_nothing_is_pushed_into_the_callers_terminal(demo: Rootless) -> None:
    """TIOCSTI reaches no terminal of the caller: the workload has none of his (CVE-2017-5226)."""
    script = (
        "import fcntl, os\n"
        "for fd in (0, 1, 2):\n"
        "    try:\n"
        "        fcntl.ioctl(fd, 0x5412, b'x')  # TIOCSTI\n"
        "        print('pushed')\n"
        "    except OSError as error:\n"
        "        print(error.strerror)\n"
        "try:\n"
        "    os.open('/dev/tty', os.O_RDWR)\n"
        "    print('opened')\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    with on_terminal(demo, "-i", "debian-demo", "python3", "-c", script) as terminal:
        status, said = terminal.finish()
    assert status == 0
    assert "pushed" not in said
    assert said.splitlines()[-1] == "No such device or address"
