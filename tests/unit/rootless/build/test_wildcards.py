"""`rootless.build.wildcards`: Go's patterns as regular expressions."""

import pytest

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
