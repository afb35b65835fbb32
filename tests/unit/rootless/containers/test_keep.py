"""From what was asked to a record that is kept, or goes with its run."""

import fcntl
import os
import signal
from pathlib import Path

import images
import pytest

from rootless.containers import keep
from rootless.containers import record as records
from rootless.containers.policy import Policy
from rootless.containers.request import RunRequest
from rootless.containers.status import run_folder_of
from rootless.errors import Conflict, InvalidInput, NotFound
from rootless.image.load import load
from rootless.image.store import Store
from rootless.paths import Paths

NAMED = RunRequest(name="n", policy=Policy(stop_signal=0), labels={"mine": "1"})


def test_a_new_one(loaded: Paths) -> None:
    """Its files lie beside its record; it knows its image, and holds it."""
    made = keep.kept(loaded, "pic", NAMED, again=True)
    folder = records.folder_of(loaded, made)
    assert records.find(loaded, "n") == made
    assert records.upperdir_of(made) == folder / "overlay"
    assert made.image.name == "localhost/pic:latest"
    assert made.labels["mine"] == "1"
    assert made.policy.stop_signal == signal.SIGTERM
    needs = (folder / "needs").read_text().splitlines()
    there = {line.partition("/")[0] for line in needs if (loaded.store / line).exists()}
    assert there == {"blobs", "layers", "trees"}
    assert len(needs) >= 4


def test_the_next_run_finds_it(loaded: Paths) -> None:
    """A name is the same container as long as its image is the same, with what is asked now."""
    first = keep.kept(loaded, "pic", NAMED, again=True)
    second = keep.kept(loaded, "pic", RunRequest(name="n", interactive=True), again=True)
    assert (second.id, second.created) == (first.id, first.created)
    assert records.upperdir_of(second) == records.upperdir_of(first)
    assert second.container.interactive
    assert records.find(loaded, "n") == second
    with pytest.raises(Conflict, match="the name is in use"):
        keep.kept(loaded, "pic", NAMED, again=False)


def test_another_image(loaded: Paths, tmp_path: Path) -> None:
    """It is a conflict that names both ways out; --replace starts afresh."""
    layer = images.LayerBuilder().file("other", b"x")
    load(
        Store.open(loaded, create=True),
        str(images.oci_layout(tmp_path / "o", [layer], tag="other", config={"Cmd": ["/x"]})),
    )
    first = keep.kept(loaded, "pic", NAMED, again=True)
    with pytest.raises(Conflict, match=r"another image, .*pic.*--replace .*'rootless rm n'"):
        keep.kept(loaded, "other", NAMED, again=True)
    replaced = keep.kept(loaded, "other", RunRequest(name="n", replace=True), again=True)
    assert replaced.id != first.id
    assert not records.folder_of(loaded, first).exists()


def test_one_that_runs(loaded: Paths) -> None:
    """It is neither run again nor replaced."""
    made = keep.kept(loaded, "pic", NAMED, again=True)
    folder = run_folder_of(loaded, made.id)
    folder.mkdir(parents=True)
    fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    for request in (NAMED, RunRequest(name="n", replace=True)):
        with pytest.raises(Conflict, match="the container is running: n"):
            keep.kept(loaded, "pic", request, again=True)
    os.close(fd)
    keep.kept(loaded, "pic", NAMED, again=True)


def test_one_that_goes_with_its_run(loaded: Paths) -> None:
    """Nothing is made for it; its name is the beginning of its ID."""
    made, needs = keep.passing(loaded, "pic", RunRequest())
    assert not made.kept
    assert made.name == made.id[:12]
    assert f"blobs/sha256/{made.image.config_digest[7:]}" in needs
    assert not (loaded.store / "containers").exists()
    assert not (loaded.runtime / "runs").exists()


def test_an_upperdir_of_the_users(loaded: Paths, tmp_path: Path) -> None:
    """--overlay is kept as it is."""
    request = RunRequest(overlay=str(tmp_path / "mine"))
    assert records.upperdir_of(keep.kept(loaded, "pic", request, again=False)) == tmp_path / "mine"


def test_what_is_wrong_makes_nothing(loaded: Paths) -> None:
    """A bad name, an image or a container that is not there."""
    with pytest.raises(InvalidInput, match="not a container name"):
        keep.kept(loaded, "pic", RunRequest(name="-n"), again=True)
    with pytest.raises(NotFound, match="no such image"):
        keep.kept(loaded, "nosuch", NAMED, again=True)
    assert records.all_records(loaded) == []
