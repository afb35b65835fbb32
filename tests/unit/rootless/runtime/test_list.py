"""The list of containers."""

import os
import subprocess
from pathlib import Path

from rootless.runtime.list import containers
from rootless.runtime.status_file import StateFolder


def test_documents_and_rows(tmp_path: Path) -> None:
    """Both show the state and who made it when; a damaged record is left out."""
    with subprocess.Popen(["sleep", "600"]) as process:
        for name in ("b", "a", "damaged"):
            with StateFolder.make(tmp_path, name, Path("/bundle"), b"{}") as folder:
                if name == "b":
                    folder.set_process(process.pid, {"k": "v"})
        (tmp_path / "damaged" / "state.json").write_text("{")
        stopped, running = containers(tmp_path)
        process.kill()
    document = running.to_document()
    assert (document["id"], document["status"], document["pid"]) == ("b", "running", process.pid)
    assert document["owner"] == str(os.getuid())
    assert document["created"].endswith("Z")
    assert document["annotations"] == {"k": "v"}
    assert stopped.row() == (
        "a",
        "0",
        "stopped",
        "/bundle",
        stopped.record.created,
        str(os.getuid()),
    )
