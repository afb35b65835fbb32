"""Where a container is in its life."""

import fcntl
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from living_records import a_record

from rootless.containers import record as records
from rootless.containers import status as statuses
from rootless.containers.status import LastRun, Live, look, write_last_run, write_live
from rootless.linux.process_id import own_id
from rootless.paths import Paths

HERE = socket.gethostname()


def a_run(paths: Paths) -> Path:
    """Make the folder of a container's run."""
    folder = statuses.run_folder_of(paths, a_record().id)
    folder.mkdir(parents=True)
    return folder


def test_one_that_never_ran(paths: Paths) -> None:
    """It has been created."""
    records.create(paths, a_record())
    assert look(paths, a_record()).word == "created"


def test_one_that_runs(paths: Paths) -> None:
    """While its folder is locked it lives, and says where it is; before that it starts."""
    records.create(paths, a_record())
    folder = a_run(paths)
    fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert look(paths, a_record()).word == "starting"
    live = Live("running", own_id(), detached=True, init=own_id(), started="x", restarts=3)
    write_live(folder, live)
    found = look(paths, a_record())
    assert (found.word, found.live, found.is_alive) == ("running", live, True)
    os.close(fd)
    assert not look(paths, a_record()).is_alive


def test_one_that_ended(paths: Paths) -> None:
    """Its last run tells how; in the run's folder, where the store could not take it, first."""
    folder = records.create(paths, a_record())
    last = LastRun(HERE, "a", "b", 7, "why", 2)
    write_last_run(folder, last)
    assert look(paths, a_record()) == statuses.Status("exited", last=last)
    other = replace(last, exit_code=8)
    write_last_run(a_run(paths), other)
    assert look(paths, a_record()).last == other


def test_one_that_was_cut_off(paths: Paths) -> None:
    """A run without an end, and nobody who holds the lock: killed, or gone with the machine."""
    folder = records.create(paths, a_record())
    write_last_run(folder, LastRun(HERE, "a"))
    write_live(a_run(paths), Live("running", own_id(), detached=True))
    found = look(paths, a_record())
    assert found.word == "exited"
    assert found.last is not None
    assert (found.last.exit_code, found.last.finished) == (137, "")
    assert "its monitor was killed" in found.last.error


def test_one_of_another_host(paths: Paths) -> None:
    """A store may be shared: what began on another host is not known here."""
    folder = records.create(paths, a_record())
    write_last_run(folder, LastRun("elsewhere.example", "a"))
    assert look(paths, a_record()).word == "elsewhere"


def test_one_that_was_started_from_another_session(paths: Paths, tmp_path: Path) -> None:
    """With another XDG_RUNTIME_DIR a container lives all the same, until its lock is free."""
    folder = records.create(paths, a_record())
    noted = tmp_path / "other/runs" / a_record().id
    noted.mkdir(parents=True)
    write_last_run(folder, LastRun(HERE, "a", folder=str(noted)))
    write_live(noted, Live("running", own_id(), detached=True))
    fd = os.open(noted, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert statuses.run_folder_of(paths, a_record().id) == noted
    assert look(paths, a_record()).word == "running"
    os.close(fd)
    assert statuses.run_folder_of(paths, a_record().id) != noted
    assert look(paths, a_record()).word == "exited"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": 7}'])
def test_damaged_notes(paths: Paths, text: str) -> None:
    """They say nothing, and keep nobody from listing the container."""
    folder = records.create(paths, a_record())
    (folder / "last-run.json").write_text(text)
    assert look(paths, a_record()).word == "created"


def test_a_full_disk(paths: Paths) -> None:
    """What cannot be written of a living one is left out; of its end it is an error."""
    nowhere = paths.runtime / "nowhere"
    write_live(nowhere, Live("running", own_id(), detached=True))
    with pytest.raises(FileNotFoundError):
        write_last_run(nowhere, LastRun(HERE))
