"""`rootless rm`, the real executable, on containers that do not run."""

import os
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


@pytest.fixture
def kept(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with the containers `one` and `two`, which have never run."""
    source = images.docker_archive(tmp_path / "a.tar", [images.small_layer()], names=["pic"])
    rootless.ok("load", source)
    for name in ("one", "two"):
        rootless.ok("create", "--name", name, "pic", "true")
    return rootless


def folders(rootless: Rootless) -> list[str]:
    """Return the folders of the containers in the store."""
    return os.listdir(rootless.home.store / "containers")


def test_help(rootless: Rootless) -> None:
    """The help says that the files go too."""
    shown = rootless.ok("rm", "--help")
    assert shown.startswith("Usage: rootless rm [OPTIONS] [NAME]...\n")
    assert "files that they wrote" in shown


def test_removes_several(kept: Rootless) -> None:
    """Each name that went is printed; its files are gone."""
    assert kept.ok("rm", "two", "one") == "two\none\n"
    assert folders(kept) == []


def test_removes_all(kept: Rootless) -> None:
    """--all needs no names."""
    assert sorted(kept.ok("rm", "--all").split()) == ["one", "two"]
    assert folders(kept) == []


def test_names_those_that_are_there(kept: Rootless) -> None:
    """A container that is not there is told with those that are; --force passes over it."""
    loading.refused(kept, "rm", "three", says=("no such container: three (there are one, two)",))
    kept.ok("rm", "one", "two")
    loading.refused(kept, "rm", "three", says=("no such container: three (there are none)",))
    assert kept.ok("rm", "-f", "three") == "three\n"


def test_goes_on_after_one_that_is_wrong(kept: Rootless) -> None:
    """The others are removed, the status tells that one was not."""
    result = kept("rm", "one", "three", "two")
    assert (result.status, result.stdout) == (125, "one\ntwo\n")
    assert result.stderr == "rootless: no such container: three (there are two)\n"


def test_needs_a_name(kept: Rootless) -> None:
    """Nothing is removed where nothing is named."""
    loading.refused(kept, "rm", says=("which containers",))
    assert len(folders(kept)) == 2


@pytest.mark.parametrize("name", ["..", "../images", "one/upper", ".", "", "/"])
def test_leaves_what_is_no_container(kept: Rootless, name: str) -> None:
    """No name leads out of the containers' folder, or into one."""
    loading.refused(kept, "rm", name, says=("no such container",))
    kept.ok("rm", "-f", name)
    assert len(folders(kept)) == 2


def test_a_damaged_record(kept: Rootless) -> None:
    """It is told which file is damaged; by force the container is removed by its ID."""
    kept.ok("rm", "two")
    (container,) = folders(kept)
    (kept.home.store / "containers" / container / "container.json").write_text("{")
    loading.refused(kept, "rm", container, says=("the container's record is damaged",))
    assert kept.ok("ps", "-aq") == ""
    kept.ok("rm", "-f", container[:12])
    assert folders(kept) == []


def test_what_a_kill_left(kept: Rootless) -> None:
    """What a removal that was killed left goes with the next one."""
    containers = kept.home.store / "containers"
    (containers / (".going-" + "f" * 64) / "overlay").mkdir(parents=True)
    (containers / ("e" * 64)).mkdir()
    kept.ok("rm", "one")
    assert len(folders(kept)) == 1


def test_in_a_group(kept: Rootless) -> None:
    """`container` has the same commands, as podman has it."""
    assert kept.ok("container", "rm", "one") == "one\n"
    assert len(kept.ok("container", "prune").split()) == 1
    assert folders(kept) == []
    loading.refused(kept, "container", "load", says=("no such command: load",))
    assert "prune" in kept.ok("container", "--help")
