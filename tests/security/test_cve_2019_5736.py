"""CVE-2019-5736: the runner's program, which /proc/self/exe leads to, run or written from inside.

runc's was overwritten by images whose program, or a script's interpreter, was /proc/self/exe: the
host's program then ran inside with the image's libraries. Ours is the Python interpreter.
"""

import struct
from pathlib import Path

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

SAYS = "cannot execute: it leads out of the container"


@pytest.mark.both_users
def test_as_the_program(demo: Rootless) -> None:
    """/proc/self/exe is not executed, under none of its names."""
    for name in ("/proc/self/exe", "/proc/thread-self/exe", "/proc/./self/exe"):
        result = demo("run", "debian-demo", name, "-c", "print('the host runs')")
        assert (result.status, result.stdout) == (126, "")
        assert result.stderr == f"rootless: {SAYS}: {name}\n"


def elf_with_interpreter(path: bytes) -> bytes:
    """Return an ELF file that has nothing but a PT_INTERP."""
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(path), len(path), 1)
    return header + segment + path


@pytest.mark.parametrize(
    "program",
    [
        images.LayerBuilder().symlink("run", "/proc/self/exe"),
        images.LayerBuilder().file("run", b"#!/proc/self/exe\n", mode=0o755),
        images.LayerBuilder()
        .file("run", b"#! /script -x\n", mode=0o755)
        .file("script", b"#!/link\n", mode=0o755)
        .symlink("link", "proc/self/exe"),
        images.LayerBuilder().file("run", elf_with_interpreter(b"/proc/self/exe\0"), mode=0o755),
    ],
    ids=["link", "script", "script-of-a-script", "elf-interpreter"],
)
def test_by_an_image(rootless: Rootless, shell_layer: bytes, program: images.LayerBuilder) -> None:
    """A link, a script's interpreter, an ELF file's interpreter: none brings the host's in."""
    shell_image.load_image(rootless, [shell_layer, program])
    result = rootless("run", "small", "/run", "-c", "print('the host runs')")
    assert (result.status, result.stdout) == (126, "")
    assert result.stderr == f"rootless: {SAYS}: /run\n"


def test_of_init_from_inside(demo: Rootless) -> None:
    """The workload can neither read nor open PID 1's program, which is the host's."""
    script = "readlink /proc/1/exe; cat < /proc/1/exe; echo > /proc/1/exe; exec /proc/1/exe"
    result = demo("run", "--cap-add", "ALL", "debian-demo", "bash", "-c", script)
    assert result.stdout == ""
    assert result.stderr.count("Permission denied") >= 3


def test_what_is_no_trick_runs(rootless: Rootless, shell_layer: bytes, tmp_path: Path) -> None:
    """Scripts and programs whose interpreters are the image's run as ever."""
    layer = images.LayerBuilder().file("run", b"#!/bin/sh\necho $0 $1\n", mode=0o711)
    shell_image.load_image(rootless, [shell_layer, layer])
    assert rootless.ok("run", "small", "/run", "x") == "/run x\n"
