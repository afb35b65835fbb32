"""DT_SONAME."""

import subprocess
from pathlib import Path

from rootless.bundle.elf_soname import soname


def test_of_a_library(tmp_path: Path) -> None:
    """As the linker wrote it; "" for one that has none."""
    source = tmp_path / "a.c"
    source.write_text("int a(void) { return 1; }\n")
    for name, words in (("named", ["-Wl,-soname,libmine.so.7"]), ("plain", [])):
        command = ["gcc", "-shared", "-fPIC", *words, "-o", tmp_path / name, source]
        subprocess.run(command, check=True)
    assert soname(str(tmp_path / "named")) == "libmine.so.7"
    assert soname(str(tmp_path / "plain")) == ""


def test_of_what_is_none(tmp_path: Path) -> None:
    """No file, no library, a damaged one."""
    assert soname(str(tmp_path / "none")) == ""
    for data in (b"", b"text", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + b"\xff" * 200):
        (tmp_path / "file").write_bytes(data)
        assert soname(str(tmp_path / "file")) == ""
