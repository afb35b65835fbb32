"""The workload's program: found as execvp(3) finds it, and never the runner's own.

The process that becomes the workload still is the runner's interpreter, a file of the host, and
/proc/self/exe leads to it out of any root. An image whose program, `#!` line or ELF interpreter is
that link would have the host's interpreter run with the image's libraries, which could then write
to it where the caller may, as in a home (CVE-2019-5736). runc executes a sealed copy of itself for
this; a copy of an interpreter costs another start of it, so the link is refused instead. Nobody
else runs in the container yet who could exchange the file between this look and execve(2).
"""

import os
import stat
import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from rootless.errors import CannotExecute, CommandNotFound

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OWN = "/proc/self/exe"

# The kernel follows fewer scripts that interpret scripts, and reads no more of a script's line.
_MOST_INTERPRETERS = 8
_LINE = 256
_PT_INTERP = 3
_MOST_HEADERS = 64


def find_program(name: str, env: Sequence[str]) -> str:
    """Return the path to execute as execvp(3) finds it; raises CommandNotFound, CannotExecute."""
    if "/" in name:
        candidates = [name]
    else:
        path = next((v[5:] for v in reversed(env) if v.startswith("PATH=")), _DEFAULT_PATH)
        candidates = [f"{folder or '.'}/{name}" for folder in path.split(":")]
    refused = ""
    for candidate in candidates:
        try:
            found = os.stat(candidate)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:
            refused = candidate
            continue
        except OSError as error:
            raise CannotExecute(f"cannot execute: {error.strerror}", candidate) from error
        if stat.S_ISREG(found.st_mode) and os.access(candidate, os.X_OK, effective_ids=True):
            return candidate
        refused = candidate
    if refused:
        raise CannotExecute("cannot execute: permission denied", refused)
    where = "no such file in the image" if "/" in name else "not found on the container's PATH"
    raise CommandNotFound(f"command not found: {where}", name)


def refuse_own_program(program: str) -> None:
    """Raise CannotExecute where executing a file would execute the runner's own program."""
    try:
        own = os.stat(_OWN)
    except OSError:  # without /proc no link leads there
        return
    names = [program]
    for name in names:
        try:
            with open(name, "rb") as file:
                if os.path.samestat(os.fstat(file.fileno()), own):
                    raise CannotExecute(
                        "cannot execute: it leads out of the container", program
                    ) from None
                if len(names) <= _MOST_INTERPRETERS:
                    names += _interpreters(file)
        except OSError:
            continue  # execve(2) says what is wrong with it, and execute-only is not


def _interpreters(file: BinaryIO) -> Iterator[str]:
    """Yield the program that the kernel runs for a script or an ELF file, if there is one."""
    head = file.read(_LINE)
    if head.startswith(b"#!"):
        words = head[2:].split(b"\n", 1)[0].split()
        if words:
            yield os.fsdecode(words[0])
    elif head.startswith(b"\x7fELF") and len(head) >= 64:
        yield from _elf_interpreter(file, head)


def _elf_interpreter(file: BinaryIO, head: bytes) -> Iterator[str]:
    order = "<" if head[5] == 1 else ">"
    wide = head[4] == 2
    (start,) = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)
    size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
    for number in range(min(count, _MOST_HEADERS)):
        file.seek(start + number * size)
        header = file.read(56 if wide else 32)
        if len(header) < (56 if wide else 32):
            return
        if struct.unpack_from(order + "I", header)[0] == _PT_INTERP:
            format_, at = ("Q", (8, 32)) if wide else ("I", (4, 16))
            offset, length = (struct.unpack_from(order + format_, header, a)[0] for a in at)
            file.seek(offset)
            yield os.fsdecode(file.read(min(length, os.pathconf("/", "PC_PATH_MAX"))).rstrip(b"\0"))
            return
