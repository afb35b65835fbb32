"""`rootless.cli.go_functions`: each as Go, podman or docker has it."""

from typing import Any

import pytest

from rootless.cli.go_functions import called, is_true, text_of
from rootless.errors import InvalidInput


@pytest.mark.parametrize(
    ("name", "given", "made"),
    [
        ("json", ({"a": "\u00e4"},), '{"a": "\u00e4"}'),
        *(("index", ([1, 2], 1), 2), ("index", ({"a": {"b": 1}}, "a", "b"), 1)),
        *(("slice", ("abcd", 1, 3), "bc"), ("slice", ([1, 2, 3], 2), [3]), ("len", ("ab",), 2)),
        *(("upper", ("a",), "A"), ("lower", ("A",), "a"), ("title", ("ab cd",), "Ab Cd")),
        *(("join", (["a", 1], ", "), "a, 1"), ("split", ("a,b", ","), ["a", "b"])),
        *(("truncate", ("abcd", 2), "ab"), ("pad", ("x", 1, 2), " x  "), ("pad", ("", 1, 2), "")),
        *(("println", ("a", 1), "a 1\n"), ("print", (1, 2, "a", "b"), "1 2ab")),
        ("printf", ("%-4s|%03d|%q|%v|%.1f|%%|%t", "a", 7, "b", [1], 2.5, True), None),
        *(("eq", (1, 2, 1), True), ("ne", (1, 1), False), ("lt", (1, 2), True)),
        *(("le", (2, 2), True), ("gt", ("b", "a"), True), ("ge", (1, 2), False)),
        *(("and", (1, 0, 2), 0), ("and", (1, 2), 2), ("or", (0, "a"), "a"), ("not", ("",), True)),
    ],
)
def test_each(name: str, given: tuple[Any, ...], made: Any) -> None:
    """What it makes of values."""
    expected = 'a   |007|"b"|[1]|2.5|%|true' if name == "printf" else made
    assert called(name, given) == expected


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("len", ()), ("json", (1, 2)), ("index", ([1], 1)), ("index", ([1], "x"))),
        *(("lt", (1, "a")), ("join", ("a", ",")), ("slice", (1, 2)), ("slice", ("a", "b"))),
        *(("printf", ("%d", "a")), ("printf", ("%s",)), ("printf", ("%99999999s", "a"))),
        *(("printf", ("%y", 1)), ("truncate", ("a", "b"))),
    ],
)
def test_what_is_refused(name: str, given: tuple[Any, ...]) -> None:
    """Other values, or other numbers of them."""
    with pytest.raises(InvalidInput):
        called(name, given)


def test_values() -> None:
    """What is shown of one, and what counts as true."""
    assert [text_of(each) for each in (None, "a", True, [1])] == ["<no value>", "a", "true", "[1]"]
    assert text_of(["a b", ["c", 2], None, True]) == "[a b [c 2] <nil> true]"
    assert text_of({"b": 1, "a": {"c": []}}) == "map[a:map[c:[]] b:1]"
    assert [is_true(each) for each in (0, "", [], {}, None, "0", 1)] == [False] * 5 + [True] * 2
