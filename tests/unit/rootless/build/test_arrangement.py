"""`rootless.build.arrangement`: members of a layer, in an order that can be extracted."""

from pathlib import Path

import copying
import pytest

from rootless.build.arrangement import Arrangement, Unpacked
from rootless.build.destination import Destination
from rootless.build.ignore import Ignore
from rootless.build.selection import Picked, pick
from rootless.errors import InvalidInput
from rootless.image import trees

FILES = ("one/x/in", "one/y", "two/x", "two/y/in", "a.tar", "f")


def put(
    stage: copying.Stage, folder: Path, *words: str, archives: tuple[str, ...] = ()
) -> list[str]:
    """Put what words mean into /d; return the paths, those of archives in brackets."""
    context = stage.context(folder, FILES)
    picked: list[Picked] = []
    for word in words:
        picked += pick(context, word, Ignore())
    chosen = [each.node for each in picked if each.name.decode() in archives]
    with Destination(None) as destination:
        arrangement = Arrangement(destination)
        arrangement.put_all(picked, chosen, "/d", is_folder=False)
    lines = []
    for each in arrangement.arranged():
        if isinstance(each, Unpacked):
            lines.append(f"[{each.folder.decode()}]")
        else:
            lines += [member.path.decode() for member in each]
    return lines


def test_one_thing_over_another(stage: copying.Stage, tmp_path: Path) -> None:
    """What comes later counts, with its type; what was in a folder that gives way goes with it."""
    assert put(stage, tmp_path, "one", "two") == ["d", "d/x", "d/y", "d/y/in"]
    assert put(stage, tmp_path, "two", "one") == ["d", "d/x", "d/x/in", "d/y"]


def test_archives(stage: copying.Stage, tmp_path: Path) -> None:
    """They keep their place among the others; a folder is made once."""
    assert put(stage, tmp_path, "f", "a.tar", "one/y", archives=("a.tar",)) == [
        *("d", "d/f", "[d]", "d/y")
    ]
    assert put(stage, tmp_path, "a.tar", archives=("a.tar",)) == ["d", "[d]"]
    assert put(stage, tmp_path, "a.tar") == ["d"]


def test_links_that_give_way(stage: copying.Stage, tmp_path: Path) -> None:
    """A folder in place of a link of the image is remembered: it may not be what was meant."""
    stage.do("COPY . /", stage.context(tmp_path / "base", ("real/", "x -> real", "y")))

    place = trees.located(stage.store, stage.state.diff_ids)
    context = stage.context(tmp_path / "c", FILES)
    with Destination(place) as destination:
        arrangement = Arrangement(destination)
        picked = pick(context, "one", Ignore())
        arrangement.put_all(picked, (), "/", is_folder=True)
        assert arrangement.replaced == [b"x"]
        with pytest.raises(InvalidInput, match="is no folder: /y"):
            arrangement.put_all(picked, (), "/y", is_folder=False)
