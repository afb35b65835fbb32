"""An interpreter that its user may write to runs from a sealed copy."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import os, sys
from rootless.runtime.sealed_program import seal_own_program
seal_own_program()
print(os.readlink("/proc/self/exe"), sys.executable, *sys.argv[1:])
try:
    os.close(os.open("/proc/self/exe", os.O_WRONLY))
    print("written")
except OSError as error:
    print(error.errno)
"""


def run(interpreter: Path | str) -> list[str]:
    """Run the script with an interpreter; return the lines that it prints."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environ = {**os.environ, "PYTHONPATH": packages}
    words = [str(interpreter), "-c", _SCRIPT, "a b", "--c"]
    return subprocess.check_output(words, env=environ, text=True).splitlines()


@pytest.mark.needs_user
def test_a_writable_one_is_sealed(tmp_path: Path) -> None:
    """It starts once more, with the same words and its own name, and cannot be opened to write."""
    own = tmp_path / "python3"
    shutil.copy(os.path.realpath(sys.executable), own)
    own.chmod(0o755)
    program, failed = run(own)
    assert program == f"/memfd:rootless-interpreter (deleted) {own} a b --c"
    assert int(failed) in (errno.EPERM, errno.ETXTBSY)


@pytest.mark.needs_user
def test_the_system_s_is_left(tmp_path: Path) -> None:
    """One that the user cannot write to is executed once."""
    del tmp_path
    real = os.path.realpath(sys.executable)
    program, _ = run(real)
    assert program == f"{real} {real} a b --c"
