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
import sys

from rootless.errors import CannotExecute, CommandNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OWN = "/proc/self/exe"

# The kernel follows fewer scripts that interpret scripts, and reads no more of a script's line,
# of a table of program headers, and of the interpreter's path.
_MOST_INTERPRETERS = 16
_LINE = 256
_MOST_HEADER_BYTES = 65536
_PATH_MAX = 4096
_PT_INTERP = 3

# Where an ELF file of each class keeps its program headers (elf(5)), in this host's byte order:
# bytes of a word, place of the table's offset and of its count; bytes of a header, places in it of
# the contents' offset and size.
_LAYOUTS = ((8, 32, 56, 56, 8, 32), (4, 28, 44, 32, 4, 16))


def find_program(name: str, env: "Sequence[str]") -> str:
    """Return the path to execute as execvp(3) finds it; raises CommandNotFound, CannotExecute."""
    if not name:  # of an empty variable in a script, as a rule
        raise CommandNotFound("command not found: its name is empty")
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
            fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO would wait
        except PermissionError as error:
            if not os.access(_OWN, os.W_OK, effective_ids=True):
                continue  # a program like sudo(8), 0111 to others; and nothing it could do harm to
            raise CannotExecute(
                "cannot execute: it cannot be read, so what interprets it cannot be known",
                name,
                "make it readable to the workload's user",
            ) from error
        except OSError:
            continue  # execve(2) says what is wrong with it
        try:
            found = os.fstat(fd)
            if os.path.samestat(found, own):
                raise CannotExecute("cannot execute: it leads out of the container", program)
            if stat.S_ISREG(found.st_mode) and len(names) <= _MOST_INTERPRETERS:
                names += _interpreters(fd)
        finally:
            os.close(fd)


def _interpreters(fd: int) -> "Iterator[str]":
    """Yield the program that the kernel runs for a script or an ELF file, if there is one."""
    head = _read_at(fd, 0, _LINE)
    if head.startswith(b"#!"):
        line = head[2:].split(b"\n", 1)[0].strip(b" \t")
        words = line.replace(b"\t", b" ").replace(b"\0", b" ").split(b" ", 1)
        yield from filter(None, (os.fsdecode(words[0]),))
    elif head.startswith(b"\x7fELF") and len(head) >= 64:
        # Whatever class and byte order the file claims: the kernel goes by the machine alone.
        for layout in _LAYOUTS:
            yield from _elf_interpreter(fd, head, layout)


def _elf_interpreter(
    fd: int, head: bytes, layout: "tuple[int, int, int, int, int, int]"
) -> "Iterator[str]":
    word, table, counted, header, offset_at, size_at = layout
    start, count = _number(head, table, word), _number(head, counted, 2)
    headers = _read_at(fd, start, min(count * header, _MOST_HEADER_BYTES))
    for at in range(0, len(headers) - header + 1, header):
        if _number(headers, at, 4) == _PT_INTERP:
            offset = _number(headers, at + offset_at, word)
            size = _number(headers, at + size_at, word)
            path = _read_at(fd, offset, min(size, _PATH_MAX)).split(b"\0", 1)[0]
            yield from filter(None, (os.fsdecode(path),))
            return


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], sys.byteorder)


def _read_at(fd: int, offset: int, size: int) -> bytes:
    """Return what is there; nothing where the offset is none."""
    try:
        return os.pread(fd, size, offset)
    except (OSError, OverflowError):
        return b""
