"""Check `libraries`."""

from dataclasses import replace

from rootless.doctor.check import State
from rootless.doctor.libraries import LibraryFacts, check_libraries, gather

GOOD = LibraryFacts("3.11.2", "/venv/bin/python", {"trio": "0.35.0"}, "/venv/fuse", True)


def test_all_there() -> None:
    """Versions are shown, for reports."""
    check = check_libraries(GOOD)
    assert check.state is State.OK
    assert check.seen == "Python 3.11.2, trio 0.35.0"


def test_missing_library_gets_a_command() -> None:
    """The fix installs it for this very interpreter."""
    check = check_libraries(replace(GOOD, versions={"trio": "", "isal": ""}))
    assert check.state is State.FAILED
    assert check.fix == "/venv/bin/python -m pip install trio isal"


def test_foreign_fuse() -> None:
    """Another project's module of the name `fuse` is found out."""
    check = check_libraries(replace(GOOD, fuse="/usr/lib/fuse.py", fuse_is_ours=False))
    assert check.state is State.FAILED
    assert "/usr/lib/fuse.py" in check.cause
    assert "environment of its own" in check.fix


def test_this_environment() -> None:
    """The environment of the tests has everything, and `fuse` is ours."""
    facts = gather()
    assert check_libraries(facts).state is State.OK
    assert facts.fuse_is_ours
