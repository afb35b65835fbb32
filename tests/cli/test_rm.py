"""`rootless rm`, the real executable, on containers that do not run."""

import os

import loading
import pytest
from executable import Rootless


@pytest.fixture
def kept(rootless: Rootless) -> Rootless:
    """A store with the containers `one` and `two`, as far as `rm` looks at them."""
    for name in ("one", "two"):
        (rootless.home.store / "containers" / name / "upper").mkdir(parents=True)
        (rootless.home.store / "containers" / name / "upper" / "file").write_text("written")
    return rootless


def test_help(rootless: Rootless) -> None:
    """The help says that the files go too, and where the names come from."""
    shown = rootless.ok("rm", "--help")
    assert shown.startswith("Usage: rootless rm [OPTIONS] NAME...\n")
    assert "`run --name` kept" in shown
    assert "files that they wrote" in shown


def test_removes_several(kept: Rootless) -> None:
    """Each name that went is printed; its files are gone."""
    assert kept.ok("rm", "two", "one") == "two\none\n"
    assert os.listdir(kept.home.store / "containers") == []


def test_names_those_that_are_there(kept: Rootless) -> None:
    """A container that is not there is told with those that are."""
    loading.refused(kept, "rm", "three", says=("no such container: three (there are one, two)",))
    kept.ok("rm", "one", "two")
    loading.refused(kept, "rm", "three", says=("no such container: three (there are none)",))


def test_stops_at_the_first_that_is_wrong(kept: Rootless) -> None:
    """What was removed before is printed, what comes after a wrong name stays."""
    result = kept("rm", "one", "three", "two")
    assert (result.status, result.stdout) == (125, "one\n")
    assert result.stderr == "rootless: no such container: three (there are two)\n"
    assert os.listdir(kept.home.store / "containers") == ["two"]


def test_needs_a_name(kept: Rootless) -> None:
    """Nothing is removed where nothing is named."""
    says = ("missing argument 'NAME' (see 'rootless rm --help')",)
    loading.refused(kept, "rm", says=says)


@pytest.mark.parametrize("name", ["..", "../images", "one/upper", ".", "", "/"])
def test_leaves_what_is_no_container(kept: Rootless, name: str) -> None:
    """No name leads out of the containers' folder, or into one."""
    loading.refused(kept, "rm", name, says=("not a container name",))
