"""`rootless.cli.formatted`: documents and lists of them as `--format` wants them."""

import json

import pytest

from rootless.cli.formatted import check_list_format, formatted, indented, template_lines
from rootless.errors import InvalidInput

ROWS = [{"ID": "1", "Names": "a"}, {"ID": "2", "Names": "long name"}]


def test_one_document() -> None:
    """JSON, or a template; another word is an error."""
    assert json.loads(formatted({"a": ["ä"]}, "json")) == {"a": ["ä"]}
    assert formatted({"a": "b"}, "{{.a}}") == "b"
    with pytest.raises(InvalidInput, match="no such format: yaml"):
        formatted({}, "yaml")


def test_lists() -> None:
    """A line each; `table` puts a header over columns."""
    assert template_lines(ROWS, "{{.ID}}={{.Names}}") == ["1=a", "2=long name"]
    assert template_lines(ROWS, r"table {{.Names}}\t{{.ID}}") == [
        "NAMES      ID",
        "a          1",
        "long name  2",
    ]
    check_list_format("{{.ID}}")
    with pytest.raises(InvalidInput, match="no such format: xml"):
        check_list_format("xml")
    with pytest.raises(InvalidInput):
        check_list_format("{{if .ID}}")


def test_for_people() -> None:
    """Each value on a line, what belongs together below its name."""
    document = {"host": {"cpus": 2, "rootless": True}, "stores": ["/a", "/b"], "empty": ""}
    assert list(indented(document)) == [
        "host:",
        "  cpus: 2",
        "  rootless: true",
        "stores: /a, /b",
        "empty:",
    ]
