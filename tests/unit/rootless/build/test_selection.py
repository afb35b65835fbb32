"""`rootless.build.selection`: what words of a COPY mean in a context."""

import socket
from pathlib import Path

import copying
import pytest

from rootless.build.ignore import Ignore
from rootless.build.selection import Picked, pick
from rootless.errors import InvalidInput, NotFound

FILES = (
    *("a.txt", "b.txt", ".hidden", "d/a.txt", "d/e/c.txt", "d/e/d.md", "f/x", "[x]", "to -> d"),
    *("lib -> d/e", "d/in -> ../f", "a\\b"),
)


def shown(picked: list[Picked]) -> list[str]:
    """Return the names of what was picked, with those of what is in it."""
    found = []
    for each in picked:
        found.append(each.name.decode() or ".")
        found += [f"  {item.path.decode()}" for item in each.items]
    return found


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("a.txt", ["a.txt"]),
        ("./a.txt", ["a.txt"]),
        ("*.txt", ["a.txt", "b.txt"]),
        ("/[ab].txt", ["a.txt", "b.txt"]),
        ("?hidden", [".hidden"]),
        ("[[]x]", ["[x]"]),
        (r"a\\b", [r"a\b"]),
        ("d/*.txt", ["a.txt"]),
        ("*/*.txt", ["a.txt", "c.txt", "a.txt"]),
        ("**/c.txt", ["c.txt"]),
        ("d/**/*.txt", ["a.txt", "c.txt"]),
        ("to", ["to", "  a.txt", "  e", "  e/c.txt", "  e/d.md", "  in"]),
        ("to/e", ["e", "  c.txt", "  d.md"]),
        ("lib", ["lib", "  c.txt", "  d.md"]),
        ("d/in/x", ["x"]),
        ("d/in/*", ["x"]),
        ("d/e/../e/", ["e", "  c.txt", "  d.md"]),
        ("d/../none", None),
    ],
)
def test_words(stage: copying.Stage, tmp_path: Path, word: str, names: list[str] | None) -> None:
    """Wildcards never go over a slash, a link that is named is followed, others stay links."""
    context = stage.context(tmp_path, FILES)
    if names is None:
        with pytest.raises(NotFound, match="no such file in the build context"):
            pick(context, word, Ignore())
    else:
        assert shown(pick(context, word, Ignore())) == names


def test_the_whole(stage: copying.Stage, tmp_path: Path) -> None:
    """`.` is all but what is kept away, and no name of its own."""
    context = stage.context(tmp_path, ("d/a", "d/b", "c", "e/f"), "*\n!d/b\n!c")
    assert shown(pick(context, ".", Ignore())) == [".", "  c", "  d/b"]
    assert shown(pick(context, "d", Ignore())) == ["d", "  b"]
    assert shown(pick(context, "*", Ignore())) == ["c", "d", "  b"]
    with pytest.raises(NotFound, match="the ignore file keeps it away from the build: e"):
        pick(context, "e", Ignore())
    with pytest.raises(NotFound, match="--exclude keeps it away from the build: c"):
        pick(context, "c", Ignore(b"c"))


def test_excludes(stage: copying.Stage, tmp_path: Path) -> None:
    """What --exclude names is relative to what is copied."""
    context = stage.context(tmp_path, FILES)
    assert shown(pick(context, "d", Ignore(b"**/*.md\nin"))) == [
        *("d", "  a.txt", "  e", "  e/c.txt")
    ]
    assert shown(pick(context, "d", Ignore(b"e\nin\n!e/c.txt"))) == ["d", "  a.txt", "  e/c.txt"]
    assert shown(pick(context, "*.txt", Ignore(b"a*"))) == ["b.txt"]


def test_parents(stage: copying.Stage, tmp_path: Path) -> None:
    """The folders above a source, down from where `/./` stands."""
    context = stage.context(tmp_path, FILES)

    def folders(word: str) -> list[list[bytes]]:
        found = pick(context, word, Ignore(), with_parents=True)
        return [[item.path for item in each.parents] for each in found]

    assert folders("d/e/c.txt") == [[b"d", b"d/e"]]
    assert folders("d/./e/c.txt") == [[b"e"]]
    assert folders("d/e") == [[b"d", b"d/e"]]
    assert folders("d/*/*.md") == [[b"d", b"d/e"]]
    assert folders(".") == [[]]


def test_what_cannot_be_copied(stage: copying.Stage, tmp_path: Path) -> None:
    """A socket that is named is an error, one in a folder is left out."""
    context = stage.context(tmp_path, ("d/a",))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "d/s"))
    (found,) = pick(context, "d", Ignore())
    assert (shown([found]), found.left_out) == (["d", "  a"], (b"d/s",))
    with pytest.raises(InvalidInput, match="a socket cannot be copied: d/s"):
        pick(context, "d/s", Ignore())
