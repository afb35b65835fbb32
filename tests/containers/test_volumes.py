"""--volumes-from: what another container has of the host's files, and what goes wrong."""

from pathlib import Path

import pytest
from living import LOOP, Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
def test_volumes_of_another(containers: Containers, tmp_path: Path) -> None:
    """They are at the same places, of one that never ran too; what is asked for anew wins."""
    rootless = containers.rootless
    for name in ("data", "log", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "who").write_text(name)
    binds = ("-v", f"{tmp_path}/data:/data:ro", "--mount", f"type=bind,src={tmp_path}/log,dst=/log")
    one = containers.create("sh", "-c", LOOP, options=(*binds, "--tmpfs", "/memory"))
    script = "cat /data/who /log/who; touch /log/new; touch /data/new || ls -d /memory"
    result = rootless("run", "--volumes-from", one, "debian-demo", "sh", "-c", script)
    assert result.stdout == "datalog"
    assert result.stderr.count("Read-only file system") == 1
    assert "/memory" in result.stderr
    assert (tmp_path / "log" / "new").exists()
    other = ("-v", f"{tmp_path}/other:/data")
    two = containers.create("sh", "-c", LOOP, options=(*other, "--volumes-from", f"{one}:ro"))
    script = "cat /data/who /log/who; touch /data/new; touch /log/newer"
    result = rootless("run", f"--volumes-from={two}", "debian-demo", "sh", "-c", script)
    assert (result.stdout, result.stderr.count("Read-only file system")) == ("otherlog", 1)
    assert (tmp_path / "other" / "new").exists()


def test_what_is_wrong(containers: Containers) -> None:
    """One line names the container, or the word."""
    rootless = containers.rootless
    for text, says in (("none-such", "no such container: none-such"), ("x:rx", "CONTAINER:ro")):
        result = rootless("run", "--volumes-from", text, "debian-demo", "true")
        assert (result.status, result.stderr.count("\n")) == (125, 1)
        assert says in result.stderr
