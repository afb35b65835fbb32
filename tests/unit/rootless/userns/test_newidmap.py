"""The helpers that write maps, and what they say when they refuse."""

from pathlib import Path

import pytest

from rootless.errors import Precondition
from rootless.userns.idmap import IDMap, Mapping
from rootless.userns.maps import Maps
from rootless.userns.newidmap import write_maps

TWO = IDMap((Mapping(0, 1000, 1), Mapping(1, 100000, 10)))
MAPS = Maps(TWO, TWO, 0, 0, single=False)


def write_tool(folder: Path, name: str, script: str) -> None:
    """Write a program of this name."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_missing_helper_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without newuidmap the error names the package and the check."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Precondition, match=r"cannot run newuidmap: .*package uidmap") as caught:
        write_maps(1, MAPS)
    assert caught.value.check == "subid"


def test_refusal_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the helper says is in the error, its lines joined."""
    write_tool(tmp_path, "newuidmap", "echo one >&2; echo two >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(Precondition, match="newuidmap refuses the ID map: one; two"):
        write_maps(1, MAPS)


def test_words_of_the_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """newuidmap(1): the process, then inside, outside and length of each line; GIDs after."""
    for name in ("newuidmap", "newgidmap"):
        write_tool(tmp_path, name, f'echo "${{0##*/}} $*" >>{tmp_path}/log')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    write_maps(4242, MAPS)
    words = "4242 0 1000 1 1 100000 10"
    assert (tmp_path / "log").read_text() == f"newuidmap {words}\nnewgidmap {words}\n"
