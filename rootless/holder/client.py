"""`rootless run` by way of a holder: asked for a container, entered by the workload alone.

The container is made by the holder's keeper, by the code of every run (`keeper`). What is left here
is what the workload inherits from who started it: it is a child of this process. Signals go to the
keeper, which passes them on; it says when the container has gone, with everything in it. Whatever
goes wrong before the workload runs is no error: the ordinary way is taken then.

Nothing heavy may be imported here: it would cost more than all the rest (`tests/holder`).
"""

import marshal
import os
import stat
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_SEQPACKET, SOL_SOCKET, socket

from rootless import timings
from rootless.holder import place, start
from rootless.holder.attend import Attendance, receive, signals_for
from rootless.linux.raw import call
from rootless.runtime.workload import become

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from rootless.linux.terminal import Terminal

_PATIENCE_S = 5.0  # for a holder that is in trouble: the ordinary way takes less
_PR_SET_DUMPABLE = 4
_CLONE_PARENT = 0x8000
_SYS_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "ppc64le": 120}
_SIGCHLD = 17


def run(words: list[str]) -> int | None:
    """Run a container through a holder; return its status, None where there is no way.

    The status is -N where the caller is to end by signal N, as the workload has.
    """
    clone = _SYS_CLONE.get(os.uname().machine)
    if words[:1] == ["--timings"]:
        timings.begin()
        words = words[1:]
    mode = os.environ.get(start.VARIABLE, "")
    if clone is None or words[:1] not in (["run"], ["build"]) or mode == start.OFF:
        return None
    try:
        runtime = place.runtime_folder(os.environ)
        folder = place.folder_for(runtime, place.context())
        if not place.has_room(folder):
            return None
        door = _connect(runtime, f"{folder}/{place.DOOR}")
        if door is None and mode == start.WAIT:
            door = _wait_for(runtime, folder, words)
        if door is None:
            start.want(folder, words)
            return None
        visit = _Visit(door, clone)
        try:
            return visit.run(words)
        finally:
            door.close()
            if mode == start.WAIT:
                _note(visit.answer)
    except OSError:
        return None


def _connect(runtime: str, path: str) -> "socket | None":
    end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)
    try:
        if place.is_private(runtime):
            end.connect(path)
            _, uid = place.peer_of(end)
            if uid == os.getuid():
                return end
    except OSError:
        pass
    end.close()
    return None


def _wait_for(runtime: str, folder: str, words: list[str]) -> "socket | None":
    """Start a holder and wait until it answers: for tests that are to go through one."""
    from time import sleep  # noqa: PLC0415 - seldom

    start.spawn(folder, start.request(words), start.KEEP_ALIVE)
    for _ in range(1000):
        sleep(0.02)
        door = _connect(runtime, f"{folder}/{place.DOOR}")
        if door is not None:
            return door
    return None


def _note(answer: str) -> None:
    """Write down how it went, where a test wants to know."""
    path = os.environ.get("ROOTLESS_HOLDER_NOTES", "")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{answer}\n")


class _Visit:
    """One run."""

    def __init__(self, door: socket, clone: int) -> None:
        self._door = door
        self._clone = clone
        self.answer = "nothing"

    def run(self, words: list[str]) -> int | None:
        cwd = os.open(".", os.O_PATH | os.O_CLOEXEC)
        fds = [cwd, 2] if words[0] == "run" else [cwd, 2, 0, 1]
        if timings.fileno() >= 0:
            fds.append(timings.fileno())
        timings.mark("client: connected")
        self._door.sendmsg([start.request(words)], [_rights(*fds)])
        os.close(cwd)
        self._door.settimeout(_PATIENCE_S)
        answer, received = receive(self._door)
        self._door.settimeout(None)
        if answer is not None and "detached" in answer:
            from rootless.holder.detached import await_id  # noqa: PLC0415 - others have a workload

            self.answer = "used"
            timings.mark("client: told what to do")
            return await_id(self._door)
        if answer is not None and "begun" in answer:
            from rootless.holder.building import attend  # noqa: PLC0415 - as above

            self.answer = "used"
            timings.mark("client: told what to do")
            return attend(self._door)
        if answer is None or "program" not in answer:
            self.answer = "nothing" if answer is None else str(answer)
            return None
        self.answer = "used"
        timings.mark("client: told what to do")
        status = self._attend(answer, received)
        if status is not None and status < 0 and not answer["tells_signals"]:
            return 128 - status
        return status

    def _attend(self, answer: "dict[str, Any]", received: list[int]) -> int | None:
        program = answer["program"]
        if not program["own_session"]:
            _be_job(program)  # first: the signals are as the caller left them
        elif program["passed_fds"]:
            program["passed_fds"] = tuple(filter(_is_passed, program["passed_fds"]))
        with signals_for(own_session=program["own_session"]) as signals:
            fds = {"report": received.pop(0)}
            terminal = None
            if answer["terminal"]:
                fds["terminal"] = received.pop(0)
                terminal = self._take_terminal(received.pop(0), takes=not program["close_stdin"])
            workload = self._enter(program, received, fds)
            if not workload:
                if terminal is not None:
                    terminal.close()
                return None
            return Attendance(self._door, workload, signals, terminal).run()

    def _take_terminal(self, master: int, *, takes: bool) -> "Terminal":
        """Take the container's terminal and the caller's, which the keeper knows how to restore."""
        from rootless.linux.terminal import Terminal, state  # noqa: PLC0415 - few have one

        saved = state()
        if saved is not None and takes:
            self._door.sendmsg([marshal.dumps({"terminal": saved})], [_rights(0)])
        return Terminal(master, interactive=takes, saved=saved)

    def _enter(self, program: "dict[str, Any]", received: list[int], fds: dict[str, int]) -> int:
        """Fork what becomes the workload; return its process ID, 0 where it comes not so far."""
        told, tells = os.pipe()
        between = os.fork()
        if between == 0:
            self._go_in(program, received, fds, tells)
        os.close(tells)
        for fd in (*received, *fds.values()):
            os.close(fd)
        os.waitpid(between, 0)
        with open(told, "rb", buffering=0) as file:
            text = file.read(8)
        return int.from_bytes(text, sys.byteorder)

    def _go_in(
        self, program: "dict[str, Any]", namespaces: list[int], fds: dict[str, int], tells: int
    ) -> "NoReturn":
        """Join the namespaces, and fork a child of the one who waits: it has a new process ID."""
        try:
            call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)
            timings.mark("client: forked")
            for fd in namespaces:
                call("setns", fd, 0)
            timings.mark("client: joined")
            pid = call("syscall", self._clone, _CLONE_PARENT | _SIGCHLD, 0, 0, 0, 0)
            if pid == 0:
                _be_workload(program, fds)
            os.write(tells, pid.to_bytes(8, sys.byteorder))
        finally:
            os._exit(0)


def _be_workload(program: "dict[str, Any]", fds: dict[str, int]) -> "NoReturn":
    report = fds["report"]
    timings.mark("client: workload forked")
    own = os.pidfd_open(os.getpid())
    end = socket(fileno=report)
    end.sendmsg([marshal.dumps(os.getpid())], [_rights(own)])
    become(program, fds, lambda record: os.write(report, marshal.dumps(record)))


def _be_job(program: "dict[str, Any]") -> None:
    """Have the workload take what the caller has open, and ignore what he ignores."""
    from rootless.linux.job import ignored  # noqa: PLC0415 - most have a session of their own

    program["ignored"] = ignored()
    program["passed_fds"] = _open_fds()


def _is_passed(fd: int) -> bool:
    """Tell whether one that a variable names is a connection of the caller's, and not of ours."""
    try:
        mode = os.fstat(fd).st_mode
        return os.get_inheritable(fd) and (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode))
    except OSError:
        return False


def _open_fds() -> tuple[int, ...]:
    """Return what the caller has open for his programs, such as bash's <(…); ours all close."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        try:
            if fd > 2 and os.get_inheritable(fd):
                found.append(fd)
        except OSError:
            continue  # that of the list itself
    return tuple(found)


def _rights(*fds: int) -> tuple[int, int, bytes]:
    return SOL_SOCKET, SCM_RIGHTS, b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)
