"""`rootless run` by way of a holder: asked for a container, entered by the workload alone.

The container is made by the holder's keeper, by the code of every run (`keeper`). What is left here
is what the workload inherits from who started it: it is a child of this process. Signals go to the
keeper, which passes them on; it says when the container has gone, with everything in it. Whatever
goes wrong before the workload runs is no error: the ordinary way is taken then.

Nothing heavy may be imported here: it would cost more than all the rest (`tests/holder`).
"""

import _signal  # type: ignore[import-not-found]
import marshal
import os
import select
import sys
from _socket import (
    AF_UNIX,
    CMSG_LEN,
    MSG_CMSG_CLOEXEC,
    SCM_RIGHTS,
    SOCK_CLOEXEC,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    socket,
)

from rootless import timings
from rootless.errors import RootlessError
from rootless.holder import place, start
from rootless.linux.raw import call
from rootless.runtime.workload import become

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_MOST_BYTES = 200_000
_MOST_FDS = 16
_PATIENCE_S = 5.0  # for a holder that is in trouble: the ordinary way takes less
_PR_SET_DUMPABLE = 4
_CLONE_PARENT = 0x8000
_SYS_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "ppc64le": 120}
_FORWARDED = (1, 2, 3, 10, 12, 14, 15, 18, 20)  # as `foreground` forwards; window sizes are not
_SIGCHLD, _SIGTSTP, _SIGSTOP, _SIGKILL = 17, 20, 19, 9


def run(words: list[str]) -> int | None:
    """Run a container through a holder; return its status, None where there is no way."""
    clone = _SYS_CLONE.get(os.uname().machine)
    if words[:1] == ["--timings"]:
        timings.begin()
        words = words[1:]
    mode = os.environ.get(start.VARIABLE, "")
    if clone is None or words[:1] != ["run"] or mode == start.OFF:
        return None
    try:
        runtime = place.runtime_folder(os.environ)
        folder = place.folder_for(runtime, place.context())
        if not place.has_room(folder):
            return None
        path = f"{folder}/{place.DOOR}"
        door = _connect(runtime, path)
        if door is None and mode == start.WAIT:
            door = _wait_for(runtime, path, words)
        if door is None:
            start.want(runtime, words)
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


def _wait_for(runtime: str, path: str, words: list[str]) -> "socket | None":
    """Start a holder and wait until it answers: for tests that are to go through one."""
    from time import sleep  # noqa: PLC0415 - seldom

    start.spawn(runtime, start.request(words), start.KEEP_ALIVE)
    for _ in range(1000):
        sleep(0.02)
        door = _connect(runtime, path)
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
        self._pid = 0
        self._status: int | None = None
        self._is_over = False
        self.answer = "nothing"

    def run(self, words: list[str]) -> int | None:
        cwd = os.open(".", os.O_PATH | os.O_CLOEXEC)
        fds = [cwd, 2]
        if timings.fileno() >= 0:
            fds.append(timings.fileno())
        rights = b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)
        timings.mark("client: connected")
        self._door.sendmsg([start.request(words)], [(SOL_SOCKET, SCM_RIGHTS, rights)])
        os.close(cwd)
        self._door.settimeout(_PATIENCE_S)
        answer, received = self._receive()
        self._door.settimeout(None)
        if answer is not None and "detached" in answer:
            from rootless.holder.detached import await_id  # noqa: PLC0415 - others have a workload

            self.answer = "used"
            timings.mark("client: told what to do")
            return await_id(self._door)
        if answer is None or "program" not in answer:
            self.answer = "nothing" if answer is None else str(answer)
            return None
        self.answer = "used"
        timings.mark("client: told what to do")
        with _Signals() as signals:
            if not self._enter(answer, received):
                return None
            return self._attend(signals)

    def _receive(self) -> "tuple[dict[str, Any] | None, list[int]]":
        """Return a message and its descriptors; None for the end."""
        wanted = (_MOST_BYTES, CMSG_LEN(4 * _MOST_FDS), MSG_CMSG_CLOEXEC)
        try:
            data, ancillary, _, _ = self._door.recvmsg(*wanted)
        except ConnectionResetError:  # told once, before what the keeper had sent (`to_the_last`)
            data, ancillary, _, _ = self._door.recvmsg(*wanted)
        fds = [
            int.from_bytes(payload[at : at + 4], sys.byteorder)
            for _, _, payload in ancillary
            for at in range(0, len(payload), 4)
        ]
        return (marshal.loads(data) if data else None), fds  # noqa: S302 - of our own holder

    def _enter(self, answer: "dict[str, Any]", received: list[int]) -> bool:
        """Fork what becomes the workload; False where it does not come so far."""
        fds = {"report": received.pop(0)}
        if answer["terminal"]:
            fds["terminal"] = received.pop(0)
        told, tells = os.pipe()
        between = os.fork()
        if between == 0:
            self._go_in(answer["program"], received, fds, tells)
        os.close(tells)
        for fd in (*received, *fds.values()):
            os.close(fd)
        os.waitpid(between, 0)
        with open(told, "rb", buffering=0) as file:
            text = file.read(8)
        self._pid = int.from_bytes(text, sys.byteorder)
        return self._pid > 0

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
                self._be_workload(program, fds)
            os.write(tells, pid.to_bytes(8, sys.byteorder))
        finally:
            os._exit(0)

    def _be_workload(self, program: "dict[str, Any]", fds: dict[str, int]) -> "NoReturn":
        report = fds["report"]
        timings.mark("client: workload forked")
        own = os.pidfd_open(os.getpid()).to_bytes(4, sys.byteorder)
        end = socket(fileno=report)
        end.sendmsg([marshal.dumps(os.getpid())], [(SOL_SOCKET, SCM_RIGHTS, own)])
        become(program, fds, lambda record: os.write(report, marshal.dumps(record)))

    def _attend(self, signals: "_Signals") -> int:
        """Pass signals on until the container has gone; return the status."""
        poll = select.poll()
        poll.register(signals.read_fd, select.POLLIN)
        poll.register(self._door.fileno(), select.POLLIN)
        error: dict[str, Any] | None = None
        is_gone = False
        while not (self._is_over and self._status is not None):
            for fd, _ in poll.poll():
                if fd == signals.read_fd:
                    for number in signals.take():
                        self._on_signal(number)
                    continue
                message, _ = self._receive()
                if message is None:
                    self._is_over = True
                    poll.unregister(fd)
                    self._reap(0)
                elif "error" in message:
                    error = message["error"]
                elif "stopped" in message:
                    os.kill(os.getpid(), _SIGSTOP)
                elif "say" in message:
                    os.write(2, message["say"])
                elif "gone" in message:
                    self._is_over = is_gone = True
                    poll.unregister(fd)
                    self._reap(0)
        if error is not None:
            raise RootlessError.from_record(error)
        if not is_gone:  # the next command removes what is left
            raise RootlessError("the run was cut off: its keeper was killed", "SIGKILL")
        return self._status if self._status is not None else 125

    def _on_signal(self, number: int) -> None:
        if number == _SIGCHLD:
            self._reap(os.WNOHANG)
            return
        told = _SIGSTOP if number == _SIGTSTP else number
        if self._status is None:
            self._tell({"signal": told})

    def _tell(self, message: "dict[str, Any]") -> None:
        try:
            self._door.send(marshal.dumps(message))
        except OSError:
            return  # its end is heard of elsewhere

    def _reap(self, options: int) -> None:
        if self._status is None:
            pid, status = os.waitpid(self._pid, options)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self._status = code if code >= 0 else 128 - code
                timings.mark("client: workload ended")
                self._tell({"status": self._status})


class _Signals:
    """Signals that only come out of a pipe; the caller's own, if he ignored one, stays so."""

    def __init__(self) -> None:
        self.read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> "_Signals":  # noqa: PYI034 - Self would be typing's
        for number in (*_FORWARDED, _SIGCHLD):
            if _signal.getsignal(number) != _signal.SIG_IGN or number == _SIGCHLD:
                _signal.signal(number, lambda *_: None)
        _signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        _signal.set_wakeup_fd(-1)
        for number in (*_FORWARDED, _SIGCHLD):
            if _signal.getsignal(number) != _signal.SIG_IGN:
                _signal.signal(number, _signal.SIG_DFL)
        _signal.signal(2, _signal.default_int_handler)

    def take(self) -> bytes:
        try:
            return os.read(self.read_fd, 512)
        except BlockingIOError:
            return b""
