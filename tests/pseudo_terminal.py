"""A program on a pseudo-terminal, as a terminal emulator has it."""

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

CTRL_C, CTRL_D, CTRL_Z = "\x03", "\x04", "\x1a"
SIZE = (31, 97)
_WITHIN = 20.0


class PseudoTerminal:
    """Runs a command with the terminal as its controlling one; a context manager.

    Standard input and output are the terminal unless `streams` names others.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], **streams: int | None
    ) -> None:
        self.master, self.slave = os.openpty()
        self.resize(*SIZE)
        self.before = self.attributes()
        self.said = b""
        fds = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave} | streams
        # setsid(1) replaces itself by the command, and takes standard input for the terminal
        take = f'exec setsid --ctty "$@" <{os.ttyname(self.slave)}'
        words = ["sh", "-c", take, "sh", *command]
        if "stdin" in streams:
            words = list(command)
        self.process = subprocess.Popen(words, env=dict(environ), cwd="/", **fds)  # type: ignore[call-overload]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, rows: int, columns: int) -> None:
        """Give the window a size; the kernel sends SIGWINCH."""
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def attributes(self) -> list[Any]:
        """Return the terminal's attributes."""
        return termios.tcgetattr(self.slave)

    @property
    def is_raw(self) -> bool:
        """Tell whether characters go to the program as they are typed, unseen."""
        return not self.attributes()[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def type(self, text: str) -> None:
        """Type."""
        os.write(self.master, text.encode())

    def expect(self, text: str, within: float = _WITHIN) -> str:
        """Read until `text` has come; return what came up to it and take it away."""
        wanted, deadline = text.encode(), time.monotonic() + within
        while wanted not in self.said:
            assert self._read(max(0, deadline - time.monotonic())), f"no {text!r} in {self.said!r}"
        before, _, self.said = self.said.partition(wanted)
        return before.decode(errors="replace")

    def finish(self, within: float = _WITHIN) -> tuple[int, str]:
        """Read until the program has ended; return its status and what it said."""
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end; it said {self.said[-2000:]!r}"
            self._read(0.02)
        while self._read(0):
            continue
        return self.process.returncode, self.said.decode(errors="replace")

    def converse(self, answers: Sequence[tuple[str, str]], within: float) -> tuple[int, str]:
        """Type what answers a question at the end of what is said, until the program has ended.

        Args:
            answers: A regular expression and a text for each question.
            within: Seconds for all; a program that takes longer is killed, as status -9.
        """
        deadline = time.monotonic() + within
        answered = 0
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                break
            if self._read(0.05):
                continue
            end = self.said[answered:].decode(errors="replace")
            for question, text in answers:
                if re.search(question, end):
                    answered = len(self.said)
                    self.type(text)
                    break
        while self._read(0):
            continue
        return self.process.returncode, self.said.decode(errors="replace")

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], timeout)
        if ready:
            self.said += os.read(self.master, 65536)
        return bool(ready)
