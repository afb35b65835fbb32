"""CDI devices, found and applied."""

import json
import logging
from pathlib import Path
from typing import Any

import gpus
import pytest

from rootless.bundle import cdi
from rootless.errors import InvalidInput, NotFound


def write(folder: Path, name: str, kind: str = "v.com/gpu", **parts: Any) -> None:
    """Write a specification file."""
    folder.mkdir(exist_ok=True)
    document = {"cdiVersion": "0.6.0", "kind": kind, "devices": [{"name": "0"}], **parts}
    (folder / name).write_text(json.dumps(document))


def device(env: str) -> list[dict[str, Any]]:
    """Return a list with one device that sets a variable."""
    return [{"name": "0", "containerEdits": {"env": [env]}}]


def test_the_later_folder_wins(tmp_path: Path) -> None:
    """What is written at each start of the machine is newer than what is in /etc."""
    first, second = tmp_path / "first", tmp_path / "second"
    write(first, "a.json", devices=device("A=1"), containerEdits={"env": ["F=1"]})
    write(second, "a.json", devices=device("A=2"), containerEdits={"env": ["S=1"]})
    specs = cdi.read_folders([str(first), str(second), str(tmp_path / "none")])
    assert cdi.edits_of(["v.com/gpu=0", "v.com/gpu=0"], specs).env == ("S=1", "A=2")


def test_two_files_of_one_folder(tmp_path: Path) -> None:
    """Nobody knows which is right."""
    for name in ("a.json", "b.json"):
        write(tmp_path, name)
    with pytest.raises(InvalidInput, match="two CDI specifications"):
        cdi.edits_of(["v.com/gpu=0"], cdi.read_folders([str(tmp_path)]))


def test_what_there_is_not(tmp_path: Path) -> None:
    """What there is instead is named."""
    write(tmp_path, "a.json")
    specs = cdi.read_folders([str(tmp_path)])
    with pytest.raises(NotFound, match=r"no such CDI device: v.com/gpu=1 \(there are v.com/gpu=0"):
        cdi.edits_of(["v.com/gpu=1"], specs)
    with pytest.raises(NotFound, match="no file in"):
        cdi.edits_of(["w.com/gpu=1"], specs)


def test_a_damaged_file_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With a warning; the others hold."""
    write(tmp_path, "b.json")
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "c.txt").write_text("{")
    specs = cdi.read_folders([str(tmp_path)])
    assert cdi.names_of("v.com/gpu", specs) == ["0"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    caplog.clear()


def hook(*args: str) -> dict[str, Any]:
    """Return a hook of NVIDIA's tool."""
    return {"hookName": "createContainer", "path": "/usr/bin/nvidia-cdi-hook", "args": args}


def test_what_hooks_are_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Libraries are told to the loader, links are more mounts, an unknown one is named."""
    library = tmp_path / "libcuda.so.535"
    gpus.build_library(library, "libcuda.so.1")
    inside = "/usr/lib64/libcuda.so.535"
    edits = {
        "mounts": [{"hostPath": str(library), "containerPath": inside, "options": ["ro"]}],
        "hooks": [
            hook("h", "create-symlinks", "--link", "libcuda.so.535::/usr/lib64/libcuda.so"),
            hook("h", "create-symlinks", "--link=nowhere::/usr/lib64/nothing.so"),
            hook("h", "update-ldcache", "--folder", "/usr/lib64"),
            hook("h", "chmod", "--mode", "755", "--path", "/dev/dri"),
            hook("h", "dance"),
        ],
        "deviceNodes": [{"path": "/dev/gpu0", "hostPath": "/dev/null"}],
    }
    write(tmp_path, "a.json", containerEdits=edits)
    found = cdi.edits_of(["v.com/gpu=0"], cdi.read_folders([str(tmp_path)]))
    assert [mount.destination for mount in found.mounts] == [inside, "/usr/lib64/libcuda.so"]
    assert {mount.source for mount in found.mounts} == {str(library)}
    assert ("libcuda.so.1", inside) in found.libraries
    assert found.nodes == (("/dev/null", "/dev/gpu0"),)
    assert [record.getMessage() for record in caplog.records] == [
        "a CDI hook is not run: createContainer h dance"
    ]
    caplog.clear()
