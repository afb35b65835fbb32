"""The workload's program: found as a shell does, and never the runner's own."""

import os
import stat
import struct
import sys
from pathlib import Path

import pytest

from rootless.errors import CannotExecute, CommandNotFound
from rootless.runtime import program as program_module
from rootless.runtime.program import find_program, refuse_own_program

OWN = "/proc/self/exe"


def program(path: Path, content: bytes = b"#!/bin/sh\n", mode: int = 0o755) -> Path:
    """Write an executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_path_is_searched_in_its_order(tmp_path: Path) -> None:
    """The first folder that has the program wins; the last PATH of the environment counts."""
    one, two = (program(tmp_path / name / "tool") for name in ("one", "two"))
    env = ["PATH=/nowhere", "X=1", f"PATH={one.parent}:{two.parent}"]
    assert find_program("tool", env) == str(one)
    one.unlink()
    assert find_program("tool", env) == str(two)


def test_what_cannot_be_executed_is_passed_over(tmp_path: Path) -> None:
    """A folder or a plain file of that name does not hide the program behind it."""
    (tmp_path / "a" / "tool").mkdir(parents=True)
    program(tmp_path / "b" / "tool", mode=0o644)
    (tmp_path / "file").touch()
    last = program(tmp_path / "c" / "tool")
    env = [f"PATH={tmp_path}/a:{tmp_path}/b:{tmp_path}/file:{tmp_path}/none:{tmp_path}/c"]
    assert find_program("tool", env) == str(last)


def test_a_slash_means_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a slash PATH has no say; an empty part of PATH is the working directory."""
    tool = program(tmp_path / "tool")
    monkeypatch.chdir(tmp_path)
    assert find_program("./tool", ["PATH=/nowhere"]) == "./tool"
    assert find_program(str(tool), []) == str(tool)
    assert find_program("tool", ["PATH=/nowhere:"]) == "./tool"


def test_without_a_path_the_usual_folders_count() -> None:
    """No PATH at all is not an empty one."""
    assert find_program("sh", []).endswith("bin/sh")


def test_not_found_and_not_executable(tmp_path: Path) -> None:
    """127 for what is not there, 126 for what is there and cannot be executed."""
    env = [f"PATH={tmp_path}"]
    with pytest.raises(CommandNotFound, match="not found on the container's PATH: tool"):
        find_program("tool", env)
    with pytest.raises(CommandNotFound, match="no such file in the image"):
        find_program("/none/tool", env)
    program(tmp_path / "tool", mode=0o644)
    with pytest.raises(CannotExecute, match="permission denied: ") as caught:
        find_program("tool", env)
    assert caught.value.exit_status == 126
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CannotExecute, match="symbolic links"):
        find_program("loop", env)


def elf(
    interpreter: bytes, *, wide: bool = True, claims: tuple[int, int] = (2, 1), skip: int = 0
) -> bytes:
    """Return an ELF file whose header number `skip` is its PT_INTERP.

    Args:
        interpreter: Bytes of the interpreter's path.
        wide: The layout of 64 bits.
        claims: EI_CLASS and EI_DATA: what the file says of its layout.
        skip: Other program headers before it.
    """
    word, size = ("Q", 56) if wide else ("I", 32)
    start = 64
    end = start + size * (skip + 1)
    head = bytearray(b"\x7fELF" + bytes(claims) + bytes(58))
    struct.pack_into("=" + word, head, 32 if wide else 28, start)
    struct.pack_into("=HH", head, 54 if wide else 42, size, skip + 1)
    header = bytearray(size)
    struct.pack_into("=I", header, 0, 3)
    offset, length = (8, 32) if wide else (4, 16)
    struct.pack_into("=" + word, header, offset, end)
    struct.pack_into("=" + word, header, length, len(interpreter))
    return bytes(head) + bytes(size * skip) + bytes(header) + interpreter


LEADS_OUT = {
    "script": b"#!/proc/self/exe\n",
    "script with words": b"#! \t/proc/self/exe -x y\n",
    "script without a newline": b"#!/proc/self/exe",
    "script with a NUL": b"#!/proc/self/exe\0more\n",
    "elf": elf(b"/proc/self/exe\0"),
    "elf of 32 bits": elf(b"/proc/self/exe\0", wide=False, claims=(1, 1)),
    "elf with more behind the NUL": elf(b"/proc/self/exe\0more\0"),
    "elf that lies about its order": elf(b"/proc/self/exe\0", claims=(2, 2)),
    "elf that lies about its class": elf(b"/proc/self/exe\0", claims=(1, 1)),
    "elf with many headers": elf(b"/proc/self/exe\0", skip=1000),
}


@pytest.mark.parametrize("content", LEADS_OUT.values(), ids=LEADS_OUT)
def test_what_the_kernel_would_take_for_the_runner(tmp_path: Path, content: bytes) -> None:
    """A program whose interpreter is /proc/self/exe is refused: CVE-2019-5736."""
    refused = program(tmp_path / "x", content)
    with pytest.raises(CannotExecute, match="leads out of the container"):
        refuse_own_program(str(refused))
    script = program(tmp_path / "script", f"#!{refused}\n".encode())
    with pytest.raises(CannotExecute, match="leads out of the container"):
        refuse_own_program(str(script))


def test_links_to_the_runner(tmp_path: Path) -> None:
    """The link itself, a link to it, a hard link's name and an odd script's name are refused."""
    (tmp_path / "link").symlink_to(OWN)
    odd = tmp_path / "x\x0by"
    odd.symlink_to(OWN)
    script = program(tmp_path / "script", f"#!{odd} z\n".encode())
    for name in (OWN, str(tmp_path / "link"), sys.executable, str(script)):
        with pytest.raises(CannotExecute, match="leads out of the container"):
            refuse_own_program(name)


@pytest.mark.needs_user
def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What interprets a program that may only be executed nobody knows; it may run nevertheless.

    Unless the user could write to the runner's own program, which is what it is about.
    """
    secret = program(tmp_path / "x", LEADS_OUT["elf"], mode=0o111)
    refuse_own_program(str(secret))  # the interpreter of these tests is another user's
    own = program(tmp_path / "own", b"")
    monkeypatch.setattr(program_module, "_OWN", str(own))
    with pytest.raises(CannotExecute, match="cannot be read"):
        refuse_own_program(str(secret))


def test_honest_programs() -> None:
    """The host's own programs, of either kind, pass."""
    for name in ("/bin/sh", "/usr/bin/env"):
        refuse_own_program(name)


HOSTILE = {
    "empty": b"",
    "no interpreter": b"#!\n",
    "blanks": b"#! \t \n",
    "itself": b"#!{self}\n",
    "short elf": b"\x7fELF" + bytes(20),
    "headers nowhere": elf(b"/bin/sh\0")[:32] + b"\xff" * 8 + elf(b"/bin/sh\0")[40:],
    "path nowhere": elf(b"/bin/sh\0").replace(struct.pack("=Q", 120), b"\xff" * 8),
    "endless path": elf(b"/bin/sh\0").replace(struct.pack("=Q", 8), b"\xff" * 8),
    "empty path": elf(b"\0"),
    "path of bytes": elf(b"/\xff\xfe\0"),
    "missing": b"#!/none/such\n",
    "folder": b"#!/\n",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_left_to_the_kernel(tmp_path: Path, content: bytes) -> None:
    """What execve(2) refuses itself raises nothing here, and ends."""
    path = tmp_path / "x"
    refuse_own_program(str(program(path, content.replace(b"{self}", bytes(path)))))


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    """A script interpreted by a FIFO that nobody writes does not stop the start."""
    os.mkfifo(tmp_path / "fifo", 0o755 | stat.S_IFIFO)
    refuse_own_program(str(program(tmp_path / "x", f"#!{tmp_path}/fifo\n".encode())))
