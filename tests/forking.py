"""Starting the executable by forking, out of a process that has imported it already.

Most of what a test of the executable takes is an interpreter's start and imports, which are the
same each time; the tests start thousands. What runs is the installed script, in a process of its
own that is a child of the test's, with the arguments, environment, folder, umask and streams asked
for; only its modules are there beforehand. The namespace holder makes containers in the same way.

What needs an interpreter of its own gets one: where a stream is a terminal, where variables speak
to the interpreter or the loader, where files, limits or signals are to be inherited, where the
caller is a fork himself and may be in other namespaces. So does what asks for it by the marker
`new_interpreter`, tests/holder, and in tests/cli the command that a file is named after, but for
long tables of cases, marked `forked`.
"""

import contextlib
import inspect
import json
import os
import re
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

_SIGNATURE = inspect.signature(subprocess.Popen._execute_child)  # type: ignore[attr-defined]
_STREAMS = ("p2cread", "c2pwrite", "errwrite")
_PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
_NOT_OURS = ("preexec_fn", "pass_fds", "shell", "gid", "gids", "uid")
_PROGRAMS = [str(Path(sys.prefix, "bin", name)) for name in ("rootless", "rootless-runtime")]
_LONG = 1 << 15  # the kernel is to say what is too long
_TO_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_")


def _inherited() -> object:
    """Return what a new process gets of its parent beside what Popen(3) is told."""
    status = Path("/proc/self/status").read_text()
    limits = [resource.getrlimit(number) for number in range(16)]
    return re.findall(r"^Sig(?:Blk|Ign):.*", status, re.MULTILINE), limits


@dataclass
class Forks:
    """The process that forks."""

    socket: socket.socket
    environ: Mapping[str, str]
    pid: int = field(default_factory=os.getpid)
    inherited: object = field(default_factory=_inherited)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, request: Mapping[str, Any], fds: list[int]) -> int:
        """Start the program; return its process ID."""
        with self.lock:
            socket.send_fds(self.socket, [json.dumps(request).encode()], fds)
            return int(self.socket.recv(64))

    def can_start(self, asked: Mapping[str, Any]) -> bool:
        """Tell whether a process that Popen(3) is asked for is one of ours."""
        return (
            self.pid == os.getpid()
            and not any(asked[name] for name in _NOT_OURS)
            and asked["executable"] is None
            and asked["args"][0] in _PROGRAMS
            and all(map(_is_short_text, asked["args"]))
            and asked["process_group"] == -1
            and _to_the_interpreter(_environ(asked)) == _to_the_interpreter(self.environ)
            and not any(map(os.isatty, _streams(asked)))
            and self.inherited == _inherited()
        )


class ForkedPopen(subprocess.Popen[Any]):
    """Popen(3) whose process is forked where it can be: where it is one of our programs."""

    forks: Forks | None = None
    not_forked: str | None = None
    """The command that gets an interpreter of its own; None stands for all."""

    def _execute_child(self, *given: Any) -> None:
        asked = _SIGNATURE.bind(self, *given).arguments
        if self.forks is None or self._is_subject(asked) or not self.forks.can_start(asked):
            super()._execute_child(*given)  # type: ignore[misc]
            return
        os.umask(umask := os.umask(0o077))
        request = {
            "words": [os.fspath(word) for word in asked["args"]],
            "environ": dict(_environ(asked)),
            "umask": umask if asked["umask"] == -1 else asked["umask"],
            "session": asked["start_new_session"],
        }
        folder = os.open(asked["cwd"] or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.pid = self.forks.start(request, [*_streams(asked), folder])
        finally:
            os.close(folder)
        self._child_created = True
        self._close_pipe_fds(*map(asked.__getitem__, _PIPES))  # type: ignore[attr-defined]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for its end, which has to be brought about where the test has failed."""
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, traceback)

    def _is_subject(self, asked: Mapping[str, Any]) -> bool:
        words = [word for word in asked["args"][1:] if not os.fspath(word).startswith("-")]
        return self.not_forked is None or words[:1] == [self.not_forked]


@contextlib.contextmanager
def forks(environ: Mapping[str, str]) -> Iterator[None]:
    """Have a process that forks, in an environment as users of the tests have it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, its):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    program = str(Path(__file__).parent / "forked_rootless.py")
    command = [sys.executable, "-P", program, str(its.fileno())]
    with ours, subprocess.Popen(command, pass_fds=[its.fileno()], env=dict(environ)):
        its.close()
        ForkedPopen.forks = Forks(ours, environ)
        yield
        ForkedPopen.forks = None
        ours.close()


def _is_short_text(word: object) -> bool:
    text = os.fspath(word)  # type: ignore[call-overload]
    return isinstance(text, str) and len(text) < _LONG and "\0" not in text


def _environ(asked: Mapping[str, Any]) -> Mapping[str, str]:
    return os.environ if asked["env"] is None else asked["env"]


def _streams(asked: Mapping[str, Any]) -> list[int]:
    return [n if asked[name] == -1 else asked[name] for n, name in enumerate(_STREAMS)]


def _to_the_interpreter(environ: Mapping[str, str]) -> dict[str, str]:
    return {n: value for n, value in environ.items() if n.startswith(_TO_THE_INTERPRETER)}
