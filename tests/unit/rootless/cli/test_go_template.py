"""`rootless.cli.go_template`: what podman's and docker's `--format` is used with."""

import pytest

from rootless.cli.go_template import is_template, render
from rootless.errors import InvalidInput

VALUE = {
    "Id": "abc",
    "Config": {"Labels": {"a.b": "c"}, "Env": ["A=1", "B=2"], "User": None},
    "Running": True,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Id}}", "abc"),
        (r"{{ .Id }}\t{{.Running}}", "abc\ttrue"),
        ("{{json .Config.Env}}", '["A=1", "B=2"]'),
        ('{{index .Config.Labels "a.b"}}', "c"),
        ('{{index .Config.Labels "none"}}', ""),
        ("{{index .Config.Env 1}}", "B=2"),
        ("{{index .Config `Env` 0}}", "A=1"),
        ("{{len .Config.Env}} of {{upper .Id}}", "2 of ABC"),
        ("{{- .Config.User -}}", "<no value>"),
        ("plain", "plain"),
        ("{{.ID}} {{.config.Env.1}}", "abc B=2"),
        ("{{range .Config.Env}}{{.}} {{end}}", "A=1 B=2 "),
        ("{{range $i, $e := .Config.Env}}{{if $i}}, {{end}}{{$i}}{{$e}}{{end}}", "0A=1, 1B=2"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}{{end}}", "a.b=c"),
        ("{{range .Config.User}}x{{else}}none{{end}}", "none"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ('{{if eq .Id "x" "abc"}}yes{{end}}', "yes"),
        ("{{if .Nope.Here}}a{{else if .Running}}b{{else}}c{{end}}", "b"),
        ("{{if and .Running (not .Nope)}}yes{{end}}", "yes"),
        ("{{with .Config}}{{len .Env}}{{$.Id}}{{end}}", "2abc"),
        ("{{$n := 1}}{{if true}}{{$n = 2}}{{$m := 3}}{{end}}{{$n}}", "2"),
        ('{{.Config.Env | len | printf "%03d"}}', "002"),
        ('{{.Config.Label "a.b"}}', "c"),
        ("{{(index .Config.Env 0) | lower}}", "a=1"),
        ("a {{- .Id -}} b{{/* said to nobody */}}", "aabcb"),
    ],
)
def test_what_is_made(template: str, text: str) -> None:
    """Each is what Go's template makes of it."""
    assert render(template, VALUE) == text
    assert is_template(template) == ("{{" in template)


def test_all_of_it() -> None:
    """A dot alone is the whole document."""
    assert render("{{json .}}", {"a": 1}) == '{"a": 1}'


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{.Nope}}", "at Nope; there are: Id"),
        ("{{if .Id}}", "jq"),
        ("{{}}", "not understood"),
        ("{{json .Id .Id}}", "not understood"),
        ("{{foo 1}}", "no such function in a format: foo"),
        ('{{.Id "x"}}', "a value is no function"),
        ("{{$x}}", "no such variable: $x"),
        ("{{range .Id}}{{end}}", "no list to range over: abc"),
        ("{{index .Config.Env 7}}", "nothing has that index: 7"),
    ],
)
def test_what_is_refused(template: str, says: str) -> None:
    """Everything else is one error with the next step."""
    with pytest.raises(InvalidInput, match=r".") as caught:
        render(template, VALUE)
    assert says in str(caught.value)
