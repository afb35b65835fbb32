"""Modules that come when something of them is wanted."""

import subprocess
import sys
from pathlib import Path

import pytest

_DRIVER = """
import sys
from fuse.late_imports import postpone
sys.path.insert(0, {folder!r})
loads = []
sys.modules["loads"] = loads
postpone({{"late_one", "late_package", "late_broken", "nowhere"}})
"""


def driven(folder: Path, script: str) -> str:
    """Run a script in an interpreter where these modules are postponed; return what it printed."""
    (folder / "late_one.py").write_text(
        "import sys, late_one\nsys.modules['loads'].append(__name__)\nVALUE = 1\n"
        "def own():\n    return late_one.VALUE\n"
    )
    package = folder / "late_package"
    package.mkdir()
    (package / "__init__.py").write_text("import sys\nsys.modules['loads'].append(__name__)\n")
    (package / "part.py").write_text("from late_one import VALUE\n")
    (folder / "late_broken.py").write_text("raise OSError('broken')\n")
    done = subprocess.run(
        [sys.executable, "-P", "-c", _DRIVER.format(folder=str(folder)) + script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_comes_when_it_is_used(tmp_path: Path) -> None:
    """Importing it, even again, loads nothing; the first name that is wanted does, once."""
    script = """
import late_one
import late_one as again
print(loads, late_one.__name__)
print(late_one.VALUE, again.own(), loads, type(late_one).__name__)
from late_one import own
late_one.VALUE = 2
print(own(), loads, late_one.__spec__.loader is late_one.__loader__)
"""
    assert driven(tmp_path, script).splitlines() == [
        "[] late_one",
        "1 1 ['late_one'] module",
        "2 ['late_one'] True",
    ]


def test_packages_and_what_is_set(tmp_path: Path) -> None:
    """A part of a package is found without it; who sets a name finds the module whole."""
    script = """
import late_package.part
print(loads)
import late_one
late_one.VALUE = 5
print(late_one.own(), loads)
try:
    import nowhere
except ModuleNotFoundError as error:
    print(error)
"""
    assert driven(tmp_path, script).splitlines() == [
        "['late_one', 'late_package']",  # which gets the part's name
        "5 ['late_one', 'late_package']",
        "No module named 'nowhere'",
    ]


def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    """The error comes where it is used, each time."""
    script = """
import late_broken
for _ in range(2):
    try:
        late_broken.anything
    except OSError as error:
        print(error)
"""
    assert driven(tmp_path, script).splitlines() == ["broken", "broken"]


@pytest.mark.parametrize("threads", [8])
def test_threads_wait_for_it(tmp_path: Path, threads: int) -> None:
    """Who wants it while another loads it gets it whole, and it is loaded once."""
    script = f"""
import threading
import late_one
found = []
each = [threading.Thread(target=lambda: found.append(late_one.own())) for _ in range({threads})]
for thread in each: thread.start()
for thread in each: thread.join()
print(found == [1] * {threads}, loads)
"""
    assert driven(tmp_path, script).splitlines() == ["True ['late_one']"]


def test_where_imports_are_forbidden(tmp_path: Path) -> None:
    """A process that has gone into a container reads no module there, late ones neither."""
    script = """
from rootless.runtime.imports import forbid_imports
import late_one
forbid_imports()
try:
    late_one.VALUE
except ImportError as error:
    print(error, loads)
"""
    assert driven(tmp_path, script).splitlines() == ["imports are forbidden by now: late_one []"]


def test_a_server_imports_no_tls() -> None:
    """What trio and others import and nobody uses there."""
    script = """
import sys
from fuse.late_imports import OF_A_SERVER, _LateModule, postpone
postpone(OF_A_SERVER)
import fuse.server
loaded = {name for name, module in sys.modules.items() if type(module) is not _LateModule}
print(sorted(loaded & {"ssl", "_ssl", "lzma", "_lzma", "ipaddress", "tempfile", "csv"}))
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
