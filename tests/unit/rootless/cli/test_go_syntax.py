"""`rootless.cli.go_syntax`: a template as a tree."""

import pytest

from rootless.cli.go_syntax import Block, Command, Constant, Path, Pipeline, parse
from rootless.errors import InvalidInput


def test_a_tree() -> None:
    """Text, blocks, pipelines, variables, constants and brackets."""
    dot = Pipeline((Command(Path("", ()), ()),))
    assert parse("a{{.}}") == ("a", dot)
    assert parse("{{if .A.B}}x{{else}}y{{end}}") == (
        Block("if", Pipeline((Command(Path("", ("A", "B")), ()),)), ("x",), ("y",)),
    )
    (assigned,) = parse("{{$x := len (index . 1).C `r` | not}}")
    inner = Pipeline((Command("index", (Path("", ()), Constant(1))),))
    length = Command("len", (Path(inner, ("C",)), Constant("r")))
    assert assigned == Pipeline((length, Command("not", ())), ("$x",), declares=True)


def test_texts() -> None:
    """Escapes, and what is trimmed; a brace inside of a text closes nothing."""
    assert parse(r"\t\\") == ("\t\\",)
    assert parse('x  {{- "}}" -}}  y') == ("x", Pipeline((Command(Constant("}}"), ()),)), "y")
    assert parse("{{/* {{ */}}z") == ("z",)
    assert parse(r'{{"\t\""}}') == (Pipeline((Command(Constant('\t"'), ()),)),)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{", "without its end"),
        ("{{range", "without its end"),
        ("{{range .A}}x", "without its end"),
        ("{{end}}", "without a beginning"),
        ("{{else}}", "without a beginning"),
        ('{{define "x"}}', "there is no define"),
        ("{{(len .}}", "a bracket without its end"),
        ("{{. ,}}", "at ,"),
        ("{{range $a, .b := .}}{{end}}", "no variable"),
        ("{{range $a, $b}}{{end}}", "nothing for the variables"),
        ("{{.A !}}", "?"),
        ("{{if .}}" * 60, "too deep"),
    ],
)
def test_what_is_none(template: str, says: str) -> None:
    """One line, with the action that it is about."""
    with pytest.raises(InvalidInput, match="not understood in a format") as caught:
        parse(template)
    assert says in str(caught.value)
