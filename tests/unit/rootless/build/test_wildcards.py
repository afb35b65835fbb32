"""`rootless.build.wildcards`: Go's patterns as regular expressions."""

import re
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rootless.build.wildcards import has_wildcards, pattern


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        ("a*c", ("ac", "abbc", "a.c"), ("a/c", "acd", "xac")),
        ("?", ("a", "\udcff", "\n"), ("", "ab", "/")),
        ("[a-c]x", ("ax", "cx"), ("dx", "x", "-x")),
        ("[^a-c]", ("d", "-"), ("a", "/")),
        ("[-a]", (), ()),
        (r"[\]x\-]", ("]", "x", "-"), ("a",)),
        (r"\*", ("*",), ("a",)),
        (r"a\[b", ("a[b",), ("ab",)),
        ("[[]x]", ("[x]",), ("x",)),
        ("a+(b)|c.$", ("a+(b)|c.$",), ("aab", "ab")),
        ("**/x", ("x", "a/x", "a/b/x"), ("ax", "x/a")),
        ("a/**", ("a/b", "a/b/c"), ("a", "b/a")),
    ],
)
def test_patterns(text: str, matching: tuple[str, ...], others: tuple[str, ...]) -> None:
    """Each matches whole names, or none."""
    if not matching:
        with pytest.raises(ValueError, match="class"):
            pattern(text)
        return
    expression = pattern(text)
    assert all(expression.fullmatch(each) for each in matching)
    assert not any(expression.fullmatch(each) for each in others)


@pytest.mark.parametrize("text", ["[", "[a", "[]", "[^]", "[b-a]", "[a-", "\\", "[a\\"])
def test_none(text: str) -> None:
    """What is no pattern says why."""
    with pytest.raises(ValueError, match=r".+"):
        pattern(text)


def test_what_is_one() -> None:
    """A name without any of the characters means itself."""
    assert [has_wildcards(each) for each in ("a b", "a*", "a?", "[a", "a\\b")] == [
        *(False, True, True, True, True)
    ]


SIGNS = {"*": "[^/]*", "?": "[^/]", "**/": "(?:.*/)?", "/**/": "/(?:.*/)?", "[ab]": "[ab]"}


@given(
    st.lists(st.sampled_from(["a", "b", "/", *SIGNS]), max_size=9),
    st.lists(st.text("ab/", max_size=12), max_size=20),
)
@example(["**/", "a", "/**/", "*", "b"], ["a/b", "a/a/xb", "b", "b/a/b"])
@example(["**/", "a", "**/", "b"], ["aab", "aaa/b", "x/aab"])
def test_the_quick_form_matches_the_same(signs: list[str], texts: list[str]) -> None:
    """What is matched is what the pattern's signs mean, one by one."""
    text = "".join(signs)
    pairs = pairwise(signs)
    assume(not any(one == "*" and other.startswith("*") for one, other in pairs))
    assume(not text.endswith("**/"))  # which is `**`
    plain = re.compile("".join(SIGNS.get(sign, sign) for sign in signs))
    for each in texts:
        assert bool(pattern(text).fullmatch(each)) == bool(plain.fullmatch(each)), (text, each)


@pytest.mark.parametrize("text", ["*a" * 40 + "b", "**/" * 500 + "b", "**/a/" * 30 + "b"])
def test_what_would_take_forever(text: str) -> None:
    """A name that fits a pattern in many ways, but for its end, is read once."""
    assert not pattern(text).fullmatch("a" * 200)
    assert not pattern(text).fullmatch("a/" * 200 + "c")
