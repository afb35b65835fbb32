"""`rootless.alias.shim`: programs that start rootless, and nothing else's files."""

import os
import subprocess
from pathlib import Path

import pytest

from rootless.alias import shim
from rootless.errors import Conflict, NotFound, StoreError

ORIGIN = Path('/a "b"/aliases.toml')


def test_a_shim_passes_every_word_on(tmp_path: Path) -> None:
    """Its own words and the caller's come through whole, whatever is in them."""
    words = ["run", "a b", "$x", "it's", 'q"q', "new\nline", "*", ""]
    path = tmp_path / "deep" / "tool"
    shim.write(path, shim.text_of("/bin/printf", ["%s|", *words], ORIGIN), ORIGIN)
    said = subprocess.run([path, "c d", "\n", "-e"], capture_output=True, text=True, check=True)
    assert said.stdout.split("|") == [*words, "c d", "\n", "-e", ""]


def test_it_tells_what_it_is(tmp_path: Path) -> None:
    """Its origin and its program are found in it; a folder's shims are found among other files."""
    text = shim.text_of("/x y/rootless", ["run", "i"], ORIGIN)
    shim.write(tmp_path / "tool", text, ORIGIN)
    (tmp_path / "other").write_text("#!/bin/sh\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")  # which nobody writes to: to read it would be to wait
    (tmp_path / "odd").write_text("#!/bin/sh\n# An alias of rootless, from {\nx\n")
    (found,) = shim.installed(tmp_path)
    assert found == shim.Shim(tmp_path / "tool", ORIGIN, text)
    assert (found.name, found.program) == ("tool", "/x y/rootless")
    assert list(shim.installed(tmp_path / "none")) == []


def test_only_its_own_is_replaced(tmp_path: Path) -> None:
    """Somebody's program, a broken link, another file's alias stay, unless told."""
    path = tmp_path / "tool"
    text = shim.text_of("/r", [], ORIGIN)
    other = shim.text_of("/r", [], Path("/other"))
    path.write_text("mine")
    with pytest.raises(Conflict, match="there is another command of that name"):
        shim.write(path, text, ORIGIN)
    assert path.read_text() == "mine"
    shim.write(path, other, Path("/other"), force=True)
    with pytest.raises(Conflict, match="the alias is defined in /other"):
        shim.write(path, text, ORIGIN)
    shim.write(path, other, Path("/other"))
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    with pytest.raises(Conflict):
        shim.write(link, text, ORIGIN)
    with pytest.raises(StoreError, match="cannot write the command"):
        shim.write(Path("/proc/none/tool"), text, ORIGIN)


def test_only_its_own_is_removed(tmp_path: Path) -> None:
    """A shim goes; what is none stays; what is not there is told."""
    path = tmp_path / "tool"
    with pytest.raises(NotFound, match="no such alias: tool"):
        shim.remove(path)
    path.write_text("mine")
    with pytest.raises(Conflict, match="the command is no alias"):
        shim.remove(path)
    shim.write(path, shim.text_of("/r", [], ORIGIN), ORIGIN, force=True)
    shim.remove(path)
    assert not path.exists()
