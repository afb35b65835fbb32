"""What a node has for a batch job."""

import os
import socket
from pathlib import Path

import pytest

from rootless.bundle import batch


def destinations(node: batch.Node) -> set[str]:
    """Return where its mounts are."""
    return {mount.destination for mount in node.mounts}


@pytest.fixture(autouse=True)
def _stands_in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")


def test_home_and_folders_of_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Home, the folders that variables name, sockets' folders; the site's."""
    monkeypatch.setattr(batch, "_TEMPORARY", "/no/such/folder")
    names = ("home", "scratch", "pmix", "flux", "site")
    for name in names:
        (tmp_path / name).mkdir()
    environ = {
        "SCRATCH": str(tmp_path / "scratch"),
        "PMIX_SERVER_TMPDIR": str(tmp_path / "pmix"),
        "FLUX_URI": f"local://{tmp_path}/flux/local-0",
    }
    node = batch.node(environ, str(tmp_path / "home"), [str(tmp_path / "site")])
    assert destinations(node) - {"/dev/hugepages"} == {str(tmp_path / name) for name in names}
    assert f"HOME={tmp_path}/home" in node.env


def test_a_home_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No HOME is named that the container has not got."""
    monkeypatch.setattr(batch, "_TEMPORARY", "/no/such/folder")
    node = batch.node({}, "/no/such/home")
    assert not any(item.startswith("HOME=") for item in node.env)
    assert node.workdir == ""


def test_the_working_directory_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """$PWD's name is kept where it is right."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "link")
    assert batch.node({"PWD": f"{tmp_path}/link"}, "/").workdir == f"{tmp_path}/link"
    assert batch.node({"PWD": "/etc"}, "/").workdir == f"{tmp_path}/real"


def test_a_descriptor_of_the_process_manager() -> None:
    """A socket that was left open for us is passed on; nothing that is ours, or a file, is."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        environ = {"PMI_FD": str(theirs.fileno())}
        assert batch.node(environ, "/").fds == ()
        theirs.set_inheritable(True)
        assert batch.node(environ, "/").fds == (theirs.fileno(),)
    for text in ("", "x", "1", "999999", "9999999999"):
        assert batch.node({"PMI_FD": text}, "/").fds == ()
    folder = os.open("/", os.O_RDONLY)
    try:
        os.set_inheritable(folder, True)
        assert batch.node({"PMI_FD": str(folder)}, "/").fds == ()
    finally:
        os.close(folder)


@pytest.mark.parametrize(
    ("environ", "job"),
    [({}, ""), ({"SLURM_JOB_ID": "7"}, "SLURM_JOB_ID=7"), ({"PBS_JOBID": "8.s"}, "PBS_JOBID=8.s")],
)
def test_job_of(environ: dict[str, str], job: str) -> None:
    """A job is told by its batch system's number."""
    assert batch.job_of(environ) == job
