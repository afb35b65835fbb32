"""`rootless.build.ignore`: what Docker's patterns keep away; as buildah 1.28 has it."""

import pytest

from rootless.build.ignore import Ignore
from rootless.errors import InvalidInput

FILES = (
    *("a.txt", "b.txt", "sub/a.txt", "sub/deep/a.txt", "sub/deep/b.md", "node_modules/x"),
    *("pkg/node_modules/y", "README.md", "docs/README.md", "docs/keep.md", ".git/config"),
    *("foo", "foobar", "dir/foo", "Containerfile"),
)


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        ("*.txt", "a.txt b.txt"),
        ("**/*.txt", "a.txt b.txt sub/a.txt sub/deep/a.txt"),
        ("/a.txt", "a.txt"),
        ("a.txt/", "a.txt"),
        ("./foo", "foo"),
        ("dir/../foo", "foo"),
        ("../foo", ""),
        ("sub/", "sub/a.txt sub/deep/a.txt sub/deep/b.md"),
        ("sub//deep", "sub/deep/a.txt sub/deep/b.md"),
        ("sub/*/b.md", "sub/deep/b.md"),
        ("sub/**/a.txt", "sub/a.txt sub/deep/a.txt"),
        ("deep", ""),
        ("**/deep/**", "sub/deep/a.txt sub/deep/b.md"),
        ("**/sub/deep", "sub/deep/a.txt sub/deep/b.md"),
        ("**/node_modules", "node_modules/x pkg/node_modules/y"),
        ("node_modules", "node_modules/x"),
        ("*/a.txt", "sub/a.txt"),
        ("*.md\n!README.md", ""),
        ("docs\n!docs/keep.md", "docs/README.md"),
        ("**/*.md\n!docs/*.md", "sub/deep/b.md README.md"),
        ("!foo\nfoo", "foo"),
        ("# foo\n\n  a.txt  ", "a.txt"),
        ("\ufefffoo", "foo"),
        ("\\!foo", ""),
        ("fo[ob]", "foo"),
        ("fo?", "foo"),
        ("[a-b].txt", "a.txt b.txt"),
        ("[!a].txt", "a.txt"),
        ("[^a].txt", "b.txt"),
        ("a{.txt,}", ""),
        ("do**", "docs/README.md docs/keep.md"),
        ("**foo", "foo dir/foo"),
        ("**.md", ""),
        ("x**/", ""),
        ("/", ""),
        (".", ""),
        ("**", " ".join(FILES)),
    ],
)
def test_patterns(lines: str, gone: str) -> None:
    """The last line that matches a path, or a folder that it is in, counts."""
    ignore = Ignore(lines.encode())
    assert [path for path in FILES if ignore.matches(path.encode())] == gone.split()


def test_back_in() -> None:
    """A folder is looked into where something in it may be wanted all the same."""
    ignore = Ignore(b"*\n!sub/deep/b.md\n!docs")
    assert ignore.matches(b"sub")
    assert not ignore.matches(b"sub/deep/b.md")
    assert ignore.may_include_below(b"sub")
    assert ignore.may_include_below(b"sub/deep")
    assert ignore.may_include_below(b"docs/x")
    assert not ignore.may_include_below(b"pkg")
    assert not Ignore(b"*").may_include_below(b"sub")
    # any folder may have what a pattern with a wildcard in front of everything means
    assert Ignore(b"*\n!**/a.txt").may_include_below(b"pkg")


def test_the_root_and_no_lines() -> None:
    """The context itself is never kept away."""
    assert not Ignore(b"**").matches(b"")
    assert not Ignore().matches(b"a")
    assert Ignore.of(("*.md", "!a.md")).matches(b"b.md")


@pytest.mark.parametrize("line", ["[", "[]a]", "[b-a]", "a\\", "!["])
def test_no_pattern(line: str) -> None:
    """A line that means nothing is named with its number."""
    with pytest.raises(InvalidInput, match=r"not a pattern: \.dockerignore:2: "):
        Ignore(b"ok\n" + line.encode(), ".dockerignore")
